// The control socket of a program: a UNIX socket for its own user only.

import { chmod, mkdir } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { dirname } from "node:path";
import { bindSocket, HemiError } from "@hemi/hemi/base";
import { callProgram } from "./client.ts";
import { ControlClients, type ControlClientsOptions } from "./clients.ts";

export class ControlServer {
  readonly #server: Server;
  readonly #clients: ControlClients;

  private constructor(server: Server, clients: ControlClients) {
    this.#server = server;
    this.#clients = clients;
  }

  /**
   * Listens. A socket that a killed program has left is replaced. Rejects with HEMI_PROCESS if another program listens
   * there, and with HEMI_LISTEN or HEMI_FILE.
   */
  static async open(path: string, options: Omit<ControlClientsOptions, "token">): Promise<ControlServer> {
    await mkdir(dirname(path), { recursive: true }).catch((cause: unknown) => {
      throw new HemiError("HEMI_FILE", `the folder ${dirname(path)} cannot be made: ${String(cause)}`, { cause });
    });
    const bound = await bindSocket({ path }).catch(async (error: unknown) => {
      const other = await callProgram({ path }, "pids", undefined).catch(() => undefined);
      if (other === undefined) throw error;
      throw new HemiError(
        "HEMI_PROCESS",
        `another program runs with this --vars folder: its leader is process ${other.leader}; stop it, or choose another folder`,
      );
    });
    // Before anybody can connect.
    await chmod(path, 0o600);
    const clients = new ControlClients(options);
    const server = createServer((socket) => clients.serve(socket));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject).listen(bound, resolve);
    await promise;
    return new ControlServer(server, clients);
  }

  close(): void {
    this.#server.close();
    this.#clients.close();
  }
}
