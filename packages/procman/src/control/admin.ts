// Control over TCP (--admin): for other machines by TLS, without it on the loopback address only, and always with a
// token.

import type { SendHandle } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { makeFolder } from "@hemi/common";
import { bindSocket, HemiError, placeOf } from "@hemi/hemi/base";
import { rawHandle } from "../leader/raw-handle.ts";
import { ControlClients, type ControlClientsOptions } from "./clients.ts";
import { isLoopback } from "./loopback.ts";

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  /** The file of the token. */
  readonly tokenFile: string;
  /** Whether a file that is not there is made, with a random token. */
  readonly isTokenMade: boolean;
  /** Files in PEM. Without them, the address must be a loopback address. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

/** A socket for `listen`, bound by this process or another one. */
export interface GivenSocket {
  readonly address: string;
  readonly handle: unknown;
}

export class AdminServer {
  /** Where it listens, with the port that the system has chosen for port 0. */
  readonly address: string;
  readonly #server: Server;
  readonly #clients: ControlClients;

  private constructor(server: Server, clients: ControlClients, address: string) {
    this.#server = server;
    this.#clients = clients;
    this.address = address;
  }

  /** Listens, on the given socket if there is one. Rejects with HEMI_USAGE, HEMI_FILE or HEMI_LISTEN. */
  static async open(
    options: AdminOptions,
    clientOptions: Omit<ControlClientsOptions, "token">,
    given?: GivenSocket,
  ): Promise<AdminServer> {
    const { host, port, certificate, key } = options;
    if ((certificate === undefined) !== (key === undefined))
      throw new HemiError("HEMI_USAGE", "--admin-cert and --admin-key belong together");
    if (certificate === undefined && !isLoopback(host))
      throw new HemiError(
        "HEMI_USAGE",
        `--admin ${host}:${port} would send the token readable over the network; give --admin-cert and --admin-key, or a loopback address`,
      );
    const clients = new ControlClients({ ...clientOptions, token: await tokenOf(options) });
    const server = await serverOf(certificate, key);
    const { address, handle } = given ?? (await boundTo(host, port));
    server.on(certificate === undefined ? "connection" : "secureConnection", (socket: Socket) => clients.serve(socket));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject).listen(handle, resolve);
    await promise;
    return new AdminServer(server, clients, address);
  }

  /** What another leader needs to listen there, too. */
  get socket(): { readonly address: string; readonly handle: SendHandle } {
    return { address: this.address, handle: rawHandle(this.#server) };
  }

  /** Takes no new clients; the others are served on. */
  stopListening(): void {
    this.#server.close();
  }

  close(): void {
    this.#server.close();
    this.#clients.close();
  }
}

async function boundTo(host: string, port: number): Promise<GivenSocket> {
  const handle = await bindSocket({ host, port });
  return { address: placeOf(handle).address, handle };
}

/** Reads the token of a program. Rejects with HEMI_FILE if there is none, or if others can read it. */
export async function readToken(file: string): Promise<string> {
  try {
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0) throw new Error(`other users may read it: chmod 600 ${file}`);
    const token = (await readFile(file, "utf8")).trim();
    if (token.length < minToken) throw new Error(`it has less than ${minToken} characters`);
    return token;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HemiError("HEMI_FILE", `the token file ${file} cannot be used: ${reason}`, { cause });
  }
}

async function tokenOf({ tokenFile, isTokenMade }: AdminOptions): Promise<string> {
  if (isTokenMade) {
    await makeFolder(dirname(tokenFile));
    await writeFile(tokenFile, `${randomBytes(32).toString("base64url")}\n`, { flag: "wx", mode: 0o600 }).catch(
      (error: unknown) => {
        // One that is there is used.
        if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      },
    );
  }
  return await readToken(tokenFile);
}

async function serverOf(certificate: string | undefined, key: string | undefined): Promise<Server> {
  if (certificate === undefined || key === undefined) return createServer();
  try {
    const [cert, secret, tls] = await Promise.all([readFile(certificate), readFile(key), import("node:tls")]);
    // A client that is silent during the handshake is closed.
    return tls.createServer({ cert, key: secret, minVersion: "TLSv1.2", handshakeTimeout: 5000 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HemiError("HEMI_FILE", `--admin-cert or --admin-key cannot be used: ${reason}`, { cause });
  }
}

/** In characters. */
const minToken = 16;
