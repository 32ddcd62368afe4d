// Server-sent events as a stream of messages, which is asked for again after a lost connection
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).

import { backOff, Metadata, RpcError, tooLarge, type OutgoingCall } from "@hemi/common/rpc";
import { brokenOff, endCall, readPieces } from "./response-content.ts";

/** One event. */
export interface ServerEvent {
  /** `message` where the server says nothing. */
  readonly type: string;
  readonly data: string;
  /** The last id that the stream had so far. */
  readonly id: string | undefined;
}

/** Cuts the text of a stream into events. */
export class EventReader {
  readonly #maxSize: number;
  readonly #decoder = new TextDecoder();
  #text = "";
  #id: string | undefined;
  #type = "";
  #data: string[] = [];
  #size = 0;

  /** `maxSize`: of an event, in characters. */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** The events that are complete. Throws RpcError `resource_exhausted`. */
  *push(piece: Uint8Array): Generator<ServerEvent, void, void> {
    this.#text += this.#decoder.decode(piece, { stream: true });
    for (;;) {
      // A CR at the end may be the half of a CRLF.
      const [line, end] = /^([^\r\n]*)(\r\n|\n|\r(?!$))/.exec(this.#text)?.slice(1) ?? [];
      if (line === undefined || end === undefined) break;
      this.#text = this.#text.slice(line.length + end.length);
      const event = line === "" ? this.#complete() : this.#read(line);
      if (event !== undefined) yield event;
    }
    if (this.#text.length + this.#size > this.#maxSize) throw tooLarge(undefined, this.#maxSize);
  }

  #read(line: string): undefined {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "event") this.#type = value;
    else if (name === "data") {
      this.#data.push(value);
      // One more: empty lines need memory, too.
      this.#size += value.length + 1;
    }
  }

  #complete(): ServerEvent | undefined {
    const [data, type] = [this.#data, this.#type];
    this.#data = [];
    this.#type = "";
    this.#size = 0;
    return data.length === 0
      ? undefined
      : { type: type === "" ? "message" : type, data: data.join("\n"), id: this.#id };
  }
}

/** The messages of a stream. `ask`: asks for it, behind the event with this id. Throws RpcError. */
export async function* followEvents(
  ask: (lastEventId: string | undefined) => Promise<Response>,
  call: OutgoingCall,
  maxSize: number,
): AsyncGenerator<string, void, void> {
  let lastId: string | undefined;
  for (let failures = 0; ; failures++) {
    try {
      const response = await ask(lastId);
      if (lastId === undefined) call.headersCame(Metadata.received(response.headers));
      const reader = new EventReader(maxSize);
      for await (const piece of readPieces(response, call.signal)) {
        for (const { type, data, id } of reader.push(piece)) {
          if (type === "end") return endCall(call, data);
          lastId = id ?? lastId;
          failures = 0;
          yield data;
        }
      }
      throw brokenOff();
    } catch (error) {
      // Without an id, the stream would begin anew.
      const mayGoOn = error instanceof RpcError && error.code === "unavailable" && lastId !== undefined;
      if (!mayGoOn || failures >= maxFailures) throw error;
      await backOff(firstPause, failures, call.signal);
      call.signal.throwIfAborted();
    }
  }
}

/** In a row. Not an option: about half a minute with the pauses below. */
const maxFailures = 8;
/** In ms. */
const firstPause = 100;
