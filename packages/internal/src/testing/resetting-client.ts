// For tests: a client whose last bytes and reset arrive together, while this process does nothing.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** It is in a process of its own, which ends with it. */
export class ResettingClient {
  readonly #process: ChildProcess;
  readonly #mark = join(tmpdir(), `hemi-reset-${process.pid}-${++lastId}`);

  /** It sends at once if it is told what; else by `sendAndReset`. */
  private constructor(port: number, text: string) {
    this.#process = spawn(process.execPath, ["-e", code, String(port), this.#mark, text]);
  }

  static async connect(port: number): Promise<ResettingClient> {
    const client = new ResettingClient(port, "");
    if (client.#process.stdout !== null) await once(client.#process.stdout, "data");
    return client;
  }

  /** A connection that is reset before this process can accept it. */
  static async connectSendAndReset(port: number, text: string): Promise<void> {
    await new ResettingClient(port, text).#over();
  }

  /** Nothing is read here before both have arrived. */
  async sendAndReset(text: string): Promise<void> {
    this.#process.stdin?.write(text);
    await this.#over();
  }

  async #over(): Promise<void> {
    while (!existsSync(this.#mark));
    await rm(this.#mark);
  }
}

let lastId = 0;

const code = `
  const [port, mark, text] = process.argv.slice(1);
  const socket = require("node:net").connect(port, "127.0.0.1", () => {
    const leave = (text) => socket.write(text, () => socket.resetAndDestroy());
    if (text !== "") return leave(text);
    process.stdin.once("data", leave);
    process.stdout.write("connected");
  });
  socket.once("close", () => {
    require("node:fs").writeFileSync(mark, "");
    process.exit();
  });`;
