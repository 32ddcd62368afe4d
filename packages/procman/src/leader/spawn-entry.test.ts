import { expect, test } from "vitest";
import { environmentOfChild } from "./spawn-entry.ts";

test("sockets that are meant for the leader are not announced to its processes", () => {
  const own = { HOME: "/root", LISTEN_FDS: "1", LISTEN_PID: "7", LISTEN_FDNAMES: "web" };
  expect(environmentOfChild(own, undefined)).toEqual({ HOME: "/root" });
});

test("all processes of a program keep their compiled code in one folder", () => {
  expect(environmentOfChild({}, "/tmp/code/v24.21.0-x64")).toEqual({ NODE_COMPILE_CACHE: "/tmp/code" });
});
