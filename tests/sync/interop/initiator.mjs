// One JSON request a line on stdin, one JSON answer a line on stdout: nostr-tools as an initiator.
//   {"open": [[hour, "id in hex"], ...], "limit": n}  ->  {"message": "hex"}
//   {"reply": "hex", "seconds": n}  ->  {"message": "hex" or null, "have": [...], "need": [...]} or {"error": "text"}
// Each answer also has "cpu": the seconds of CPU that nostr-tools took for it, storage not counted.
import { createInterface } from "node:readline";
import vm from "node:vm";
import { nip77 } from "nostr-tools";

const { Negentropy, NegentropyStorageVector } = nip77;

let session;

function timed(work) {
  const begun = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(begun);
  return { ...result, cpu: (user + system) / 1e6 };
}

function answer(request) {
  if (request.open) {
    const storage = new NegentropyStorageVector();
    for (const [hour, id] of request.open) storage.insert(hour, id);
    storage.seal();
    session = new Negentropy(storage, request.limit);
    return timed(() => ({ message: session.initiate() }));
  }
  const have = [], need = [];
  try {
    globalThis.reconcile = () =>
      session.reconcile(request.reply, (id) => have.push(id), (id) => need.push(id));
    // A number of more than 31 bits can send it round for ever: stopped, that is an error as well.
    const run = () => vm.runInThisContext("reconcile()", { timeout: request.seconds * 1000 });
    return timed(() => ({ message: run(), have, need }));
  } catch (error) {
    return { error: String(error) };
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + "\n");
});
