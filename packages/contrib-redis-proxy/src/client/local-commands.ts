// The commands that the proxy answers by itself: about the connection of the client, which is none to a node.

import type { Request } from "../resp/requests.ts";
import { bulkReply, errorReply, helloReply, integerReply, ok, simpleReply } from "../replies.ts";
import type { User } from "../users.ts";

/** What the connection of a client has been told. */
export interface ClientState {
  readonly id: number;
  protocol: 2 | 3;
  database: number;
  name: string;
  /** `undefined`: not logged in, or nobody has to. */
  user: User | undefined;
}

/** What the commands depend on. */
export interface LocalSettings {
  /** By name. Empty: nobody has to log in. */
  readonly users: ReadonlyMap<string, User>;
  readonly databases: number;
  readonly isCluster: boolean;
}

/** The reply to a command of the need `local`. `RESET` and `QUIT` are up to the caller. */
export function localReply(request: Request, name: string, state: ClientState, settings: LocalSettings): Buffer {
  switch (name) {
    case "PING":
      return request.length > 1 ? bulkReply(request.arg(1)) : simpleReply("PONG");
    case "ECHO":
      return request.length === 2 ? bulkReply(request.arg(1)) : wrongCount(name);
    case "AUTH":
      return logIn(request.length > 2 ? request.arg(1).toString() : "default", request.arg(request.length > 2 ? 2 : 1));
    case "HELLO":
      return hello();
    case "SELECT":
      return select();
    case "CLIENT":
      return client();
    case "READONLY":
    case "READWRITE":
      return ok;
    default:
      return errorReply(`ERR ${name} is not for clients of a proxy`);
  }

  function logIn(userName: string, password: Buffer): Buffer {
    if (settings.users.size === 0) {
      return errorReply("ERR AUTH <password> called without any password configured for the default user");
    }
    const user = settings.users.get(userName);
    // An unknown name takes as long as a wrong password.
    const isRight = (user ?? [...settings.users.values()][0])?.hasPassword(password.toString()) === true;
    if (user === undefined || !isRight)
      return errorReply("WRONGPASS invalid username-password pair or user is disabled.");
    state.user = user;
    return ok;
  }

  function hello(): Buffer {
    const version = request.length > 1 ? request.word(1) : String(state.protocol);
    if (version !== "2" && version !== "3") return errorReply("NOPROTO unsupported protocol version");
    for (let i = 2; i < request.length; i++) {
      const option = request.word(i);
      if (option === "AUTH" && i + 2 < request.length) {
        const answer = logIn(request.arg(i + 1).toString(), request.arg(i + 2));
        if (answer !== ok) return answer;
        i += 2;
      } else if (option === "SETNAME" && i + 1 < request.length) state.name = request.arg(++i).toString();
      else return errorReply(`ERR Syntax error in HELLO option '${option.slice(0, 64)}'`);
    }
    if (settings.users.size > 0 && state.user === undefined) {
      return errorReply("NOAUTH HELLO must be called with the client already authenticated");
    }
    state.protocol = version === "3" ? 3 : 2;
    return helloReply(state.protocol, state.id, settings.isCluster ? "cluster" : "standalone");
  }

  function select(): Buffer {
    const text = request.arg(1).toString();
    if (request.length !== 2 || !/^\d{1,5}$/.test(text) || Number(text) >= settings.databases) {
      return errorReply("ERR DB index is out of range");
    }
    if (settings.isCluster && text !== "0") return errorReply("ERR SELECT is not allowed in cluster mode");
    state.database = Number(text);
    return ok;
  }

  function client(): Buffer {
    const option = request.word(1);
    if (option === "SETNAME") {
      state.name = request.arg(2).toString().slice(0, 256);
      return ok;
    }
    if (option === "GETNAME")
      return state.name === "" && state.protocol === 3 ? Buffer.from("_\r\n") : bulkReply(state.name);
    if (option === "ID") return integerReply(state.id);
    if (option === "SETINFO" || option === "NO-EVICT" || option === "NO-TOUCH") return ok;
    return errorReply(`ERR CLIENT ${option.slice(0, 64)} is not for clients of a proxy`);
  }
}

/** As Redis has it. */
function wrongCount(name: string): Buffer {
  return errorReply(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
}
