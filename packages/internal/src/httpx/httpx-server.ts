// httpxServer: serves webapps over HTTP on one address.

import type { Socket } from "node:net";
import type { Context } from "../stage/context.ts";
import { claimAddress } from "../front/claim-address.ts";
import type { Codec, CodecConn } from "../front/codecs.ts";
import { connTaker, type ConnTaker } from "../front/conn-taker.ts";
import { Front } from "../front/front.ts";
import type { CertificateSource } from "../front/tls/certificate-source.ts";
import { WholeResponses } from "../http1/whole-responses.ts";
import { turnNumber } from "../net/end-of-turn.ts";
import type { Peer } from "../net/peer.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import { defineServer, type ServerPart } from "../stage/kinds/server.ts";
import { explainable, injectable, type Explainable, type Injectable } from "../web/server-capabilities.ts";
import { allWebapps } from "./all-webapps.ts";
import { httpCodecs, type HttpCodecServer } from "./http-codecs.ts";
import { httpxProps, type HttpxSettings } from "./httpx-props.ts";
import { checkTimeouts } from "./check-timeouts.ts";
import { checkWebapps } from "./check-webapps.ts";
import { checkServerTls } from "./server-tls.ts";
import { WebServer } from "./web-server.ts";

/** Serves webapps over HTTP on one address. */
export const httpxServer = defineServer({
  sign: "httpxServer",
  props: httpxProps,
  shorthand: allWebapps,
  check(context) {
    const webapps = checkWebapps(context);
    checkServerTls(context, webapps);
    checkTimeouts(context, webapps);
    claimAddress(context);
  },
  offers: [injectable, explainable, connTaker],
  create: (context): ServerPart & Injectable & Explainable & ConnTaker => new HttpxServer(context),
});

/** What a server may have beside its configuration. */
export interface HttpxOptions {
  /** Provides certificates and responds to challenges. Default: the files in the configuration. */
  readonly source?: CertificateSource | undefined;
  /** In the order of preference. Default: the HTTP versions. */
  readonly codecs?: readonly Codec<HttpCodecServer>[];
}

export class HttpxServer extends WebServer<HttpxSettings> implements ConnTaker, HttpCodecServer {
  protected readonly front: Front<HttpCodecServer>;
  readonly wholeResponses = new WholeResponses();
  #dateLine = "";
  #dateOfLine = "";
  #turnOfLine = -1;

  constructor(context: Context<HttpxSettings, undefined>, { source, codecs = httpCodecs }: HttpxOptions = {}) {
    super(context, source);
    this.front = new Front<HttpCodecServer>({
      context,
      server: this,
      codecs,
      source: this.source,
      clients: {
        mayConnect: (client) => this.clientLimits.mayConnect(client),
        connected: (socket, client) => this.clientLimits.connected(socket, client),
      },
      plainAnswer: () => this.#plainAnswer(),
    });
  }

  protected get isSecure(): boolean {
    return this.settings.tlsMode;
  }

  takeConn(socket: Socket, peer: Peer, tls: TlsFacts | undefined): boolean {
    return this.front.adopt(socket, peer, tls);
  }

  #plainAnswer(): string {
    const text = "This port speaks HTTPS: the URL begins with https://\n";
    return (
      `HTTP/1.1 400 Bad Request\r\n${this.dateLine}content-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`
    );
  }

  // ---- called by its connections ----

  get dateLine(): string {
    // The answers of one turn leave together, and the clock is a call into the runtime.
    const turn = turnNumber();
    if (turn === this.#turnOfLine) return this.#dateLine;
    this.#turnOfLine = turn;
    const { date } = this;
    if (date !== this.#dateOfLine) {
      this.#dateOfLine = date;
      this.#dateLine = `date: ${date}\r\n`;
    }
    return this.#dateLine;
  }

  speaksOther(bytes: Buffer): boolean | "perhaps" {
    return this.front.isOthers(bytes);
  }

  handOver(conn: CodecConn, socket: Socket): void {
    this.front.handOver(conn, socket);
  }
}
