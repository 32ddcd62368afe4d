// For tests: what a client sends on a connection of its own, and what must come back. Every suite of it runs without
// TLS and over TLS.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HandletPart } from "../web/kinds.ts";
import { describeTransports, type TestServer } from "./serve.ts";
import { frameFlag, frameType } from "../http2/frames.ts";
import { frame, FrameClient } from "./frame-client.ts";

/** `/wait` is never answered; all else tells what was asked, as soon as its content has come. */
const handle: HandletPart["handle"] = async (req, resp) => {
  if (req.path === "/wait") return true;
  const content = await req.content.text();
  resp.sendJSON({ method: req.method, content, fields: [...req.headers], trailers: [...req.trailers] });
  return true;
};

/** What must come of what was sent. */
export interface ExpectedOutcome {
  /** As the end of a sentence that begins with what the client sends. */
  readonly name: string;
  /** `log` gives what the error log has of this connection. */
  check(client: FrameClient, log: () => string): Promise<void>;
}

/** What the client sends, in order; it may wait for answers in between. */
type Sends = (client: FrameClient) => Uint8Array[] | Promise<Uint8Array[]>;

export type ConformanceCase = readonly [what: string, outcome: ExpectedOutcome, sends: Sends];

/** A GOAWAY with this code, a line in the log, and the end. */
export function endsConnection(code: string): ExpectedOutcome {
  return {
    name: `ends the connection with ${code}`,
    async check(client, log) {
      expect(await client.goaway()).toBe(code);
      expect(await client.raw.ending()).toBe("end");
      expect(log()).toContain(`its connection was ended with ${code}: `);
    },
  };
}

/** A RST_STREAM with this code, a line in the log, and a connection that goes on. */
export function resetsStream(id: number, code: string): ExpectedOutcome {
  return {
    name: `resets stream ${id} alone with ${code}`,
    async check(client, log) {
      expect(await client.reset(id)).toBe(code);
      expect(log()).toContain(`its stream ${id} was reset with ${code}: `);
      await client.roundTrip();
    },
  };
}

/** What the server has made of a request; what is not named here may be anything. */
export interface Asked {
  readonly method?: string;
  readonly content?: string;
  readonly fields?: readonly (readonly [name: string, value: string])[];
  readonly trailers?: readonly (readonly [name: string, value: string])[];
}

/** The request on this stream is served, and the connection goes on. */
export function answers(id: number, { fields = [], ...asked }: Asked = {}): ExpectedOutcome {
  return {
    name: `is served on stream ${id}`,
    async check(client) {
      const { status, text } = await client.response(id);
      expect(status).toBe(200);
      const seen = JSON.parse(text) as Asked;
      expect(seen).toMatchObject(asked);
      expect(seen.fields).toEqual(expect.arrayContaining([...fields]));
      await client.roundTrip();
    },
  };
}

/** The request on this stream is answered by a head of this status alone. */
export function answersWith(id: number, status: number): ExpectedOutcome {
  return {
    name: `is answered with ${status} on stream ${id}`,
    async check(client) {
      expect(await client.response(id)).toMatchObject({ status, text: "" });
      await client.roundTrip();
    },
  };
}

/** The connection goes on. */
export const goesOn: ExpectedOutcome = {
  name: "is passed over",
  check: (client) => client.roundTrip(),
};

/** The first DATA on this stream has this size, and no more follows. */
export function sendsOnly(id: number, size: number): ExpectedOutcome {
  return {
    name: `is sent ${size} bytes of content on stream ${id}`,
    async check(client) {
      expect((await client.nextOfType(frameType.data, id)).payload).toHaveLength(size);
      await client.roundTrip();
      expect(client.passedOfType(frameType.data)).toEqual([]);
    },
  };
}

/** Cases by the section that they are of. */
export function describeConformance(rfc: string, sections: Readonly<Record<string, readonly ConformanceCase[]>>): void {
  describeTransports(({ serve }) => {
    let server: TestServer;
    beforeAll(async () => {
      server = await serve(handle);
    });
    afterAll(() => server[Symbol.asyncDispose]());

    describe.each(Object.entries(sections))(`${rfc} %s:`, (_section, cases) => {
      test.each(cases.map(([what, outcome, sends]) => [what, outcome.name, outcome, sends] as const))(
        "%s %s",
        async (_what, _name, outcome, sends) => {
          const client = await FrameClient.connect(server);
          await using _raw = client.raw;
          const before = server.log.length;
          client.send(...(await sends(client)));
          await outcome.check(client, () => server.log.slice(before).join(""));
        },
      );
    });
  });
}

/** A header block in hexadecimal digits and spaces, as a whole request on a stream. */
export function hexRequest(
  id: number,
  hex: string,
  flags: number = frameFlag.endHeaders | frameFlag.endStream,
): Buffer {
  return frame(frameType.headers, flags, id, Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

/** `GET / HTTP` for `test`, of entries of the static table and one literal. */
export const hexGet = "82 86 84 01 04 74657374";
