// For tests: a gRPC call by hand over HTTP/2, with whatever bytes and fields a test wants to send.

import { once } from "node:events";
import { connect, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Trailers, or for a response without content those of the head. */
  readonly trailers: IncomingHttpHeaders;
  readonly content: Buffer;
}

export class RawCaller implements AsyncDisposable {
  readonly session: ClientHttp2Session;

  constructor(port: number) {
    this.session = connect(`http://127.0.0.1:${port}`);
    this.session.on("error", () => {});
  }

  /** Begins a call; its content is up to the test. */
  begin(method: string, headers: Record<string, string | string[]> = {}): ClientHttp2Stream {
    const stream = this.session.request({
      ":method": "POST",
      ":path": `/hemi.test.v1.TestService/${method}`,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    stream.on("error", () => {});
    return stream;
  }

  /** A whole call. */
  async call(
    method: string,
    content: readonly Uint8Array[],
    headers: Record<string, string | string[]> = {},
  ): Promise<RawAnswer> {
    const stream = this.begin(method, headers);
    const answer = answerOf(stream);
    for (const piece of content) stream.write(piece);
    stream.end();
    return await answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.session.destroyed) return;
    const closed = once(this.session, "close");
    this.session.destroy();
    await closed;
  }
}

/** What comes back on a stream. Rejects if it is reset. */
export function answerOf(stream: ClientHttp2Stream): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders | undefined;
    const content: Buffer[] = [];
    stream.on("response", (received) => void (headers = received));
    stream.on("trailers", (received: IncomingHttpHeaders) => void (trailers = received));
    stream.on("data", (piece: Buffer) => content.push(piece));
    stream.on("end", () =>
      resolve({
        status: Number(headers[":status"]),
        headers,
        trailers: trailers ?? headers,
        content: Buffer.concat(content),
      }),
    );
    stream.on("close", () => reject(new Error(`the stream was closed with ${stream.rstCode}`)));
  });
}
