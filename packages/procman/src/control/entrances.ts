// Where those who steer a program find it: the control socket, the pid file, and the address of --admin.

import { join } from "node:path";
import { HemiError } from "@hemi/hemi/base";
import type { CommandLine } from "../command-line.ts";
import { draftPidFile, hasOwnPid, removePidDraft, removePidFile, writePidFile } from "../leader/pid-file.ts";
import { AdminServer, type GivenSocket } from "./admin.ts";
import type { ControlClientsOptions } from "./clients.ts";
import { controlPath, varsFolder } from "./place.ts";
import { ControlServer, removeControlDraft } from "./server.ts";

export class Entrances {
  readonly #line: CommandLine;
  readonly #clients: Omit<ControlClientsOptions, "token">;
  #control: ControlServer | undefined;
  #admin: AdminServer | undefined;
  #publishPid: (() => Promise<void>) | undefined;

  constructor(line: CommandLine, clients: Omit<ControlClientsOptions, "token">) {
    this.#line = line;
    this.#clients = clients;
  }

  /** For a program that starts. Rejects with HEMI_PROCESS if another one has the same folder or pid file. */
  async open(): Promise<void> {
    const { pidFile } = this.#line;
    this.#control = await this.#controlFrom(() => ControlServer.open(controlPath(this.#line), this.#clients));
    if (pidFile !== undefined) await writePidFile(pidFile);
    this.#admin = await this.#openAdmin();
  }

  /** For a leader that takes over: whatever can fail. The old leader is still found. */
  async prepare(): Promise<void> {
    const { pidFile } = this.#line;
    this.#control = await this.#controlFrom(() => ControlServer.prepare(controlPath(this.#line), this.#clients));
    if (pidFile !== undefined) this.#publishPid = await draftPidFile(pidFile);
  }

  /** After `prepare`: from now on, this leader is found. `admin`: the socket of the old one for --admin. */
  async seize(admin: GivenSocket | undefined): Promise<void> {
    this.#admin = await this.#openAdmin(admin);
    await this.#publishPid?.();
    await this.#control?.seize();
  }

  /** Of --admin; `undefined`: there is none. */
  get adminSocket(): AdminServer["socket"] | undefined {
    return this.#admin?.socket;
  }

  /** Another leader is found from now on. Who has reached this one is served to the end. */
  leave(): void {
    this.#admin?.stopListening();
  }

  /** After the process `pid` failed to take over: it may have got as far as to be found. Never rejects. */
  async reclaim(pid: number): Promise<void> {
    const { pidFile } = this.#line;
    const path = controlPath(this.#line);
    await removeControlDraft(path, pid);
    try {
      if (pidFile !== undefined) {
        await removePidDraft(pidFile, pid);
        if (!(await hasOwnPid(pidFile))) await (await draftPidFile(pidFile))();
      }
      if (this.#control?.isNamed !== false) return;
      const before = this.#control;
      this.#control = await ControlServer.prepare(path, this.#clients);
      await this.#control.seize();
      before.close();
    } catch (error) {
      this.#clients.log.error("could not restore its pid file and its control socket", { error });
    }
  }

  async close(): Promise<void> {
    this.#control?.close();
    this.#admin?.close();
    if (this.#line.pidFile !== undefined) await removePidFile(this.#line.pidFile);
  }

  /** Without `--vars`, a folder that cannot be used costs the commands for the running program, and nothing else. */
  async #controlFrom(open: () => Promise<ControlServer>): Promise<ControlServer | undefined> {
    try {
      return await open();
    } catch (error) {
      const isTaken = error instanceof HemiError && error.code === "HEMI_PROCESS";
      if (isTaken || this.#line.varsDir !== undefined) throw error;
      this.#clients.log.warn("has no control socket, so that commands cannot reach it: give it a folder by --vars", {
        error,
      });
      return undefined;
    }
  }

  async #openAdmin(given?: GivenSocket): Promise<AdminServer | undefined> {
    const { admin, adminToken, adminCertificate: certificate, adminKey: key } = this.#line;
    if (admin === undefined) return undefined;
    const tokenFile = adminToken ?? join(varsFolder(this.#line), "admin.token");
    const options = { ...admin, tokenFile, isTokenMade: adminToken === undefined, certificate, key };
    const server = await AdminServer.open(options, this.#clients, given);
    this.#clients.log.info(`takes commands on ${server.address}`, { token: tokenFile });
    return server;
  }
}
