// Calls a running program over its control socket.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { CallError, Messenger } from "@hemi/common";
import { HemiError } from "@hemi/hemi/base";
import { RemoteError } from "../channel/channel.ts";
import { exitCodes } from "../exit-code.ts";
import type { Actions } from "./actions.ts";

/**
 * Calls one action. Rejects with HEMI_PROCESS if no program runs there, and with a RemoteError if the program refuses.
 */
export async function callProgram<Name extends keyof Actions>(
  path: string,
  name: Name,
  params: Actions[Name]["params"],
): Promise<Actions[Name]["result"]> {
  const socket = await connected(path);
  const program = new Messenger(socket);
  try {
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

async function connected(path: string): Promise<Socket> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return socket;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const reason =
      code === "ENOENT" || code === "ECONNREFUSED"
        ? "no program runs there; is --base or --vars that of the program?"
        : code === "EACCES"
          ? "permission is denied; run the command as the user of the program"
          : String(cause);
    throw new HemiError("HEMI_PROCESS", `${path}: ${reason}`, { cause });
  }
}
