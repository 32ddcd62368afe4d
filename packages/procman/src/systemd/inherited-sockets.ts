// Sockets that systemd has bound for the program (socket activation): descriptors from 3 on, counted by LISTEN_FDS.

import { readFile, readlink } from "node:fs/promises";
import { Socket } from "node:net";
import { OwnSocket, type OpenSocket } from "../leader/open-socket.ts";
import { listenVariables } from "./listen-variables.ts";

/** A socket that a parent process has bound. */
export interface InheritedSocket {
  readonly socket: OpenSocket;
  /** The name that systemd has for it: `FileDescriptorName` of the `.socket` unit, which is the unit by default. */
  readonly name: string;
}

/**
 * By address, as `127.0.0.1:80`, `[::]:443` or the path of a UNIX socket. Empty if the variables are not meant for this
 * process. They are removed from the environment, so that child processes do not take them for their own.
 */
export async function inheritedSockets(env: NodeJS.ProcessEnv): Promise<ReadonlyMap<string, InheritedSocket>> {
  const sockets = new Map<string, InheritedSocket>();
  const count = Number(env["LISTEN_FDS"] ?? 0);
  const isMeant = env["LISTEN_PID"] === String(process.pid) && Number.isInteger(count);
  const names = env["LISTEN_FDNAMES"]?.split(":") ?? [];
  for (const name of listenVariables) Reflect.deleteProperty(env, name);
  if (!isMeant) return sockets;
  for (let fd = firstDescriptor; fd < firstDescriptor + count; fd++) {
    const address = await addressOf(fd);
    if (address === undefined) continue;
    const socket = new OwnSocket(new Socket({ fd, readable: false, writable: false }));
    sockets.set(address, { socket, name: names[fd - firstDescriptor] ?? "unknown" });
  }
  return sockets;
}

/** Node.js does not tell the address of a descriptor that it does not listen on; the kernel lists it by inode. */
async function addressOf(fd: number): Promise<string | undefined> {
  const [, inode] = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/self/fd/${fd}`).catch(() => "")) ?? [];
  if (inode === undefined) return undefined;
  for (const family of ["tcp", "tcp6"] as const) {
    for (const line of await linesOf(family)) {
      const [, local, , , , , , , , lineInode] = line.trim().split(/\s+/);
      if (lineInode === inode && local !== undefined) return addressFromHex(local);
    }
  }
  for (const line of await linesOf("unix")) {
    const [, , , , , , lineInode, path] = line.trim().split(/\s+/);
    if (lineInode === inode) return path;
  }
  return undefined;
}

async function linesOf(table: "tcp" | "tcp6" | "unix"): Promise<readonly string[]> {
  return (await readFile(`/proc/self/net/${table}`, "utf8").catch(() => "")).split("\n");
}

/** `0100007F:1F90` is 127.0.0.1:8080: groups of four bytes in the order of the machine. */
function addressFromHex(text: string): string {
  const [host = "", port = ""] = text.split(":");
  const bytes = (host.match(/.{8}/g) ?? []).flatMap((group) => (group.match(/../g) ?? []).toReversed());
  const number = Number.parseInt(port, 16);
  if (bytes.length === 4) return `${bytes.map((byte) => Number.parseInt(byte, 16)).join(".")}:${number}`;
  const groups = bytes.flatMap((byte, i) => (i % 2 === 0 ? [`${byte}${bytes[i + 1] ?? ""}`] : []));
  // The one short form of an IPv6 address that there is.
  return new URL(`http://[${groups.join(":")}]:${number}`).hostname + `:${number}`;
}

const firstDescriptor = 3;
