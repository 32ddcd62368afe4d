// The rooms of packages/internal/src, from the lowest to the highest: a room may use those below it, and none beside
// it.

/** Rooms on one floor do not know each other. A folder is named by its name, a file at the top by its own. */
export const floors = [
  { errors: "the table of codes and the class of errors are for all rooms, and use none" },
  { log: "logs are written by all rooms, so the log knows none of them" },
  { config: "the language of configurations knows nothing of what is configured" },
  {
    component:
      "the component model knows no component: what a stage or a protocol adds to it comes as a kind or a capability",
  },
  {
    fixtures: "fixtures are parts that every stage has, whatever it serves",
    net: "net/ has sockets and bytes, for any protocol",
  },
  {
    metrics: "numbers are counted by all who serve, so metrics/ knows none of them",
    operator: "what operators see and order concerns all who serve, so operator/ knows none of them",
  },
  { stage: "a stage leads components through their lives, whatever they are: what it asks of some is a capability" },
  { front: "a front listens and makes handshakes for any server" },
  { backend: "a backend is nodes, balancers and health, whatever is spoken with the nodes" },
  { http: "http/ is the vocabulary that codecs and web/ have in common, so it knows neither" },
  {
    http1: "a codec knows the vocabulary of http/ only: no other codec, and nobody who answers",
    http2: "a codec knows the vocabulary of http/ only: no other codec, and nobody who answers",
    cgi: "what CGI's protocols have in common knows the vocabulary of http/ only",
  },
  { fcgi: "FastCGI stands on cgi/" },
  {
    web: "web/ answers requests, whatever they came by: it knows no codec",
    layer4: "layer 4 passes connections on, and does not know what is said on them",
  },
  { httpx: "httpx/ puts codecs and web/ together" },
  { rpc: "rpc/ serves services by what httpx/ and web/ have" },
  {
    "stage.ts": "the stage as programs have it puts stage/ and web/ together",
    "kinds.ts": "the table of kinds puts the kinds of all rooms together",
    "core-pack.ts": "the core pack puts the components of all rooms together",
  },
  { "boot.ts": "booting puts kinds and packs together" },
  {
    "index.ts": "the public entry exports from everywhere, and nothing imports it",
    "base.ts": "the small entry exports what needs no component, and nothing imports it",
  },
  { testing: "test kits may use everything, and are for tests only" },
];

const floorOf = new Map(floors.flatMap((floor, height) => Object.keys(floor).map((room) => [room, height])));
const reasons = Object.assign({}, ...floors);

/** Imports against the arrows that are to go: `"from to"`, each with the reason why it is still there. */
export const exceptions = new Map([]);

/** The room of a file, by its path in packages/internal/src with `/`. */
export function roomOf(file) {
  const [first] = file.split("/");
  return first === "testing.ts" ? "testing" : first;
}

/**
 * Why a file may not import another, both by their paths in packages/internal/src, exceptions apart; undefined where it
 * may.
 */
export function whyNot(from, to) {
  const [fromRoom, toRoom] = [roomOf(from), roomOf(to)];
  if (fromRoom === toRoom) return undefined;
  for (const room of [fromRoom, toRoom]) {
    if (!floorOf.has(room)) return `${room} has no place among the rooms: give it one in scripts/lint/rooms.mjs.`;
  }
  if (floorOf.get(toRoom) < floorOf.get(fromRoom)) return undefined;
  const place = floorOf.get(toRoom) === floorOf.get(fromRoom) ? "beside" : "above";
  return `${fromRoom} must not import ${toRoom}, which is ${place} it: ${reasons[fromRoom]}.`;
}
