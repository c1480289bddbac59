// js-libp2p and its gossipsub as they come, run as a process: the other side of interop tests.
//
// Argument: {"topics": [...], "seed": "32 bytes in hex", "gossip": {options of gossipsub}}. Commands are lines of JSON
// on standard input, what happens is lines of JSON on standard output. The message ID is set, as its users do.
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { generateKeyPairFromSeed } from "@libp2p/crypto/keys";
import { gossipsub } from "@libp2p/gossipsub";
import { identify } from "@libp2p/identify";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";

Promise.withResolvers ??= function () { // js-libp2p wants Node 22; this is all that 20 lacks
  let resolve, reject;
  const promise = new Promise((a, b) => { resolve = a; reject = b; });
  return { promise, resolve, reject };
};

const { topics, seed, gossip } = JSON.parse(process.argv[2]);
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");

const node = await createLibp2p({
  privateKey: await generateKeyPairFromSeed("Ed25519", Buffer.from(seed, "hex")),
  addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  services: {
    identify: identify(),
    pubsub: gossipsub({
      globalSignaturePolicy: "StrictNoSign",
      msgIdFn: (message) => createHash("sha256").update(message.data).digest(),
      ...gossip,
    }),
  },
});
const pubsub = node.services.pubsub;

async function obey(command) {
  if (command.dial) await node.dial(multiaddr(command.dial));
  if (command.publish) await pubsub.publish(command.topic, Buffer.from(command.publish, "hex"));
  if (command.status) {
    const topic = command.status;
    const peers = pubsub.getPeers().map(String);
    const scores = Object.fromEntries(peers.map((peer) => [peer, pubsub.getScore(peer)]));
    say({ mesh: pubsub.getMeshPeers(topic), subscribed: pubsub.getSubscribers(topic).map(String), peers, scores });
  }
}

pubsub.addEventListener("message", ({ detail }) => {
  say({ got: hex(detail.data), topic: detail.topic, type: detail.type });
});
for (const topic of topics) pubsub.subscribe(topic);
say({ address: node.getMultiaddrs()[0].toString() });

const lines = createInterface({ input: process.stdin });
lines.on("close", () => process.exit());
lines.on("line", (line) => {
  const command = JSON.parse(line);
  obey(command).catch((error) => say({ failed: Object.keys(command)[0], error: String(error) }));
});
