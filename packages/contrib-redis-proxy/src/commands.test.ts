import { expect, test } from "vitest";
import { commandOf, keysOf, needOf } from "./commands.ts";
import { slotOf } from "./hash-slot.ts";
import { encodeRequest, RequestReader, type Request } from "./resp/requests.ts";

function keys(...args: string[]): { keys: string[]; need: string } {
  let request: Request | undefined;
  const reader = new RequestReader(
    () => 10_000,
    (each) => (request = each),
  );
  reader.add(encodeRequest(args), false);
  const name = args[0] ?? "";
  const command = commandOf(name);
  if (request === undefined || command === undefined) throw new Error(`no command ${name}`);
  return { keys: keysOf(command, request, name).map(String), need: needOf(command, request, name) };
}

test.each([
  [["GET", "a"], ["a"], "shared"],
  [["MSET", "a", "1", "b", "2"], ["a", "b"], "shared"],
  [["DEL", "a", "b", "c"], ["a", "b", "c"], "shared"],
  [["BLPOP", "a", "b", "5"], ["a", "b"], "blocking"],
  [["EVAL", "return 1", "2", "a", "b", "x"], ["a", "b"], "shared"],
  [["EVAL", "return 1", "99", "a"], ["a"], "shared"],
  [["ZUNIONSTORE", "d", "2", "a", "b"], ["d", "a", "b"], "shared"],
  [["BITOP", "AND", "d", "a"], ["d", "a"], "shared"],
  [["XREAD", "COUNT", "1", "STREAMS", "a", "b", "0", "0"], ["a", "b"], "shared"],
  [["XREAD", "BLOCK", "0", "STREAMS", "a", "0"], ["a"], "blocking"],
  [["XREADGROUP", "GROUP", "streams", "c", "BLOCK", "0", "STREAMS", "a", ">"], ["a"], "blocking"],
  [["XREADGROUP", "COUNT", "1", "GROUP", "g", "block", "NOACK", "STREAMS", "a", ">"], ["a"], "shared"],
  [["XREAD", "STREAMS"], [], "shared"],
  [["OBJECT", "ENCODING", "a"], ["a"], "shared"],
  [["WATCH", "a"], ["a"], "transaction"],
  [["SUBSCRIBE", "c"], [], "subscribing"],
] as const)("the keys of %j", (args, expected, need) => {
  expect(keys(...args)).toEqual({ keys: [...expected], need });
});

test("slots are those of the specification", () => {
  expect(slotOf(Buffer.from("123456789"))).toBe(0x31c3);
  expect(slotOf(Buffer.from("{user1000}.following"))).toBe(slotOf(Buffer.from("user1000")));
  expect(slotOf(Buffer.from("foo{}{bar}"))).not.toBe(slotOf(Buffer.from("bar")));
});
