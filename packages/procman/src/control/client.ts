// Calls a running program over its control socket, or over TCP.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { CallError, Messenger } from "@hemi/common";
import { HemiError } from "@hemi/hemi/base";
import { RemoteError } from "../channel/channel.ts";
import { exitCodes } from "../exit-code.ts";
import type { Actions } from "./actions.ts";
import { readToken } from "./admin.ts";
import { isLoopback } from "./loopback.ts";
import type { ProgramPlace } from "./place.ts";

/**
 * Calls one action. Rejects with HEMI_PROCESS if no program runs there, and with a RemoteError if the program refuses.
 */
export async function callProgram<Name extends keyof Actions>(
  place: ProgramPlace,
  name: Name,
  params: Actions[Name]["params"],
): Promise<Actions[Name]["result"]> {
  const token = "path" in place ? undefined : await readToken(place.tokenFile);
  const socket = await connected(place);
  const program = new Messenger(socket);
  try {
    if (token !== undefined) await program.call("login", { token });
    return (await program.call(name, params)) as Actions[Name]["result"];
  } catch (error) {
    if (!(error instanceof CallError))
      throw new HemiError(
        "HEMI_PROCESS",
        "the program closed the connection before it answered: it has ended, or too many others steer it",
        { cause: error },
      );
    const code = error.details === exitCodes.wrongUse ? exitCodes.wrongUse : exitCodes.environment;
    throw new RemoteError(error.message, code);
  } finally {
    program.close();
    socket.destroy();
  }
}

async function connected(place: ProgramPlace): Promise<Socket> {
  const { socket, event } = await open(place);
  try {
    await once(socket, event);
    return socket;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const reason =
      code === "ENOENT" || code === "ECONNREFUSED"
        ? "no program runs there; is --base or --vars that of the program?"
        : code === "EACCES"
          ? "permission is denied; run the command as the user of the program"
          : String(cause);
    const name = "path" in place ? place.path : `${place.host}:${place.port}`;
    throw new HemiError("HEMI_PROCESS", `${name}: ${reason}`, { cause });
  }
}

/** Without TLS, the token goes to the loopback address only. */
async function open(place: ProgramPlace): Promise<{ readonly socket: Socket; readonly event: string }> {
  if ("path" in place) return { socket: connect(place.path), event: "connect" };
  const { host, port, authority } = place;
  if (authority === undefined && isLoopback(host)) return { socket: connect({ host, port }), event: "connect" };
  const ca = authority === undefined ? undefined : await readFile(authority);
  const tls = await import("node:tls");
  return { socket: tls.connect({ host, port, ...(ca === undefined ? {} : { ca }) }), event: "secureConnect" };
}
