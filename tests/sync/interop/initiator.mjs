// One JSON request a line on stdin, one JSON answer a line on stdout: nostr-tools as an initiator.
//   {"open": [[hour, "id in hex"], ...], "limit": n}  ->  {"message": "hex"}
//   {"reply": "hex"}  ->  {"message": "hex" or null, "have": [...], "need": [...]} or {"error": "text"}
import { createInterface } from "node:readline";
import vm from "node:vm";
import { nip77 } from "nostr-tools";

const { Negentropy, NegentropyStorageVector } = nip77;

let session;

function answer(request) {
  if (request.open) {
    const storage = new NegentropyStorageVector();
    for (const [hour, id] of request.open) storage.insert(hour, id);
    storage.seal();
    session = new Negentropy(storage, request.limit);
    return { message: session.initiate() };
  }
  const have = [], need = [];
  try {
    globalThis.reconcile = () =>
      session.reconcile(request.reply, (id) => have.push(id), (id) => need.push(id));
    // A number of more than 31 bits can send it round for ever: stopped, that is an error as well.
    const message = vm.runInThisContext("reconcile()", { timeout: 500 });
    return { message, have, need };
  } catch (error) {
    return { error: String(error) };
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + "\n");
});
