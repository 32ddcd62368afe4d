// The control socket of a program: a UNIX socket for its own user only.
//
//   .PID.sock ──seize──> hemi.sock     a new leader takes over: its socket gets the name at once
//
// The socket of a leader that takes over is bound and listens under a name of its own first. An old leader that closes
// its socket does not remove the name, which may be that of the new leader.

import { chmod, rename, rm, stat } from "node:fs/promises";
import { rmSync, statSync } from "node:fs";
import { createServer, type BoundSocket, type Server } from "node:net";
import { dirname, join } from "node:path";
import { makeFolder } from "@hemi/common";
import { bindSocket, HemiError } from "@hemi/hemi/base";
import { callProgram } from "./client.ts";
import { ControlClients, type ControlClientsOptions } from "./clients.ts";

export class ControlServer {
  readonly #path: string;
  /** Where it was bound. */
  readonly #draft: string;
  readonly #server: Server;
  readonly #clients: ControlClients;
  /** Identifies the socket file. */
  readonly #inode: number;

  private constructor(path: string, draft: string, server: Server, clients: ControlClients, inode: number) {
    this.#path = path;
    this.#draft = draft;
    this.#server = server;
    this.#clients = clients;
    this.#inode = inode;
  }

  /**
   * Listens. A socket that a killed program has left is replaced. Rejects with HEMI_PROCESS if another program listens
   * there, and with HEMI_LISTEN or HEMI_FILE.
   */
  static async open(path: string, options: Omit<ControlClientsOptions, "token">): Promise<ControlServer> {
    await makeFolderOf(path);
    const bound = await bindSocket({ path }, { isFileKept: true }).catch(async (error: unknown) => {
      const other = await callProgram({ path }, "pids", undefined).catch(() => undefined);
      if (other === undefined) throw error;
      throw new HemiError(
        "HEMI_PROCESS",
        `another program runs with this --vars folder: its leader is process ${other.leader}; stop it, or choose another folder`,
      );
    });
    return await ControlServer.#listen(bound, path, path, new ControlClients(options));
  }

  /** Listens where no client looks, until `seize`. Rejects with HEMI_LISTEN or HEMI_FILE. */
  static async prepare(path: string, options: Omit<ControlClientsOptions, "token">): Promise<ControlServer> {
    await makeFolderOf(path);
    const draft = draftOf(path, process.pid);
    const bound = await bindSocket({ path: draft });
    return await ControlServer.#listen(bound, draft, path, new ControlClients(options));
  }

  static async #listen(bound: BoundSocket, name: string, path: string, clients: ControlClients) {
    // Before anybody can connect.
    await chmod(name, 0o600);
    const { ino } = await stat(name);
    const server = createServer((socket) => clients.serve(socket));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject).listen(bound, resolve);
    await promise;
    return new ControlServer(path, name, server, clients, ino);
  }

  /** Takes the name of the socket from the one that has it. Rejects with HEMI_FILE. */
  async seize(): Promise<void> {
    await rename(this.#draft, this.#path).catch((cause: unknown) => {
      throw new HemiError("HEMI_FILE", `the control socket ${this.#path} cannot be made: ${String(cause)}`, { cause });
    });
  }

  /** Whether clients find it. */
  get isNamed(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode;
  }

  close(): void {
    const { isNamed } = this;
    this.#server.close();
    this.#clients.close();
    if (isNamed) rmSync(this.#path, { force: true });
  }
}

async function makeFolderOf(path: string): Promise<void> {
  await makeFolder(dirname(path)).catch((cause: unknown) => {
    throw new HemiError("HEMI_FILE", `the folder ${dirname(path)} cannot be made: ${String(cause)}`, { cause });
  });
}

/** Removes what a killed leader has left that was to take over. */
export async function removeControlDraft(path: string, pid: number): Promise<void> {
  await rm(draftOf(path, pid), { force: true }).catch(() => {});
}

function draftOf(path: string, pid: number): string {
  return join(dirname(path), `.${pid}.sock`);
}
