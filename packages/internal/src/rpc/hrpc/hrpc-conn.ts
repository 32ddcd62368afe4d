// One connection of an hrpc client to a server.

import type { Socket } from "node:net";
import type { Deadline } from "@hemi/common";
import { Callee, callOver, Session, type Transport } from "@hemi/common/rpc";
import type { CodecConn } from "../../front/codecs.ts";
import type { CodecServer } from "../../http/codec-server.ts";
import { TokenBucket } from "../../http2/allowance.ts";
import type { Peer } from "../../net/peer.ts";
import type { TlsFacts } from "../../net/tls/tls-facts.ts";
import { Identity } from "../identity.ts";
import { serveBehindRules, type CallConn } from "./call-wire.ts";
import type { HrpcHost } from "./hrpc-host.ts";
import { HrpcSocket, type HrpcTimeouts } from "./hrpc-socket.ts";
import type { HrpcSettings } from "./hrpc-props.ts";
import { sessionCompression } from "./session-compression.ts";

export interface HrpcConnOptions {
  readonly socket: Socket;
  readonly peer: Peer;
  readonly tls: TlsFacts | undefined;
  readonly server: CodecServer;
  readonly host: HrpcHost;
  readonly settings: HrpcSettings;
}

export class HrpcConn implements CodecConn, CallConn {
  readonly peer: Peer;
  readonly tls: TlsFacts | undefined;
  readonly identity: Identity;
  readonly caller: Transport;
  readonly #socket: HrpcSocket;
  #age: Deadline | undefined;

  constructor({ socket, peer, tls, server, host, settings }: HrpcConnOptions) {
    this.peer = peer;
    this.tls = tls;
    this.identity = new Identity(undefined, tls);
    const callee = new Callee({
      serve: (stream) => {
        if (host.isGuarded) serveBehindRules(stream, this, server);
        else host.serveStream(stream, this);
      },
      maxMessageSize: (path) => host.maxMessageSizeOf(path),
      flood: new TokenBucket(settings.hrpcMaxIdleFrames, settings.hrpcFloodRecovery, () => server.monotonic()),
    });
    this.#socket = new HrpcSocket({
      open: () => socket,
      tls,
      timeouts: new ServerTimeouts(server, settings),
      makeDeadline: (onExpired) => server.makeDeadline(onExpired),
      makeSession: (carrier) =>
        new Session({
          role: "server",
          carrier,
          settings: { maxStreams: settings.hrpcMaxStreams, credit: settings.hrpcCredit, maxFrameSize },
          compression: sessionCompression(host.settings),
          callee,
          changed: () => carrier.settle(),
          faulty: (fault) => server.note(peer, `hrpc: ${fault.message}`),
          failed: (error) => server.failed(peer, error),
        }),
      closed: () => {
        this.#age?.clear();
        server.closed(this);
      },
      failed: (error) => server.failed(peer, error),
    });
    this.caller = {
      call: (call) => callOver(this.#socket.session, call, host.settings.maxMessageSize),
    };
    const { hrpcMaxConnAge } = settings;
    if (hrpcMaxConnAge > 0) {
      this.#age = server.makeDeadline(() => this.drain());
      // All clients of a server that has restarted would come back at the same time.
      this.#age.set(hrpcMaxConnAge * (0.9 + 0.2 * Math.random()));
    }
    socket.resume();
  }

  drain(): void {
    this.#socket.session.drain();
  }

  idleTimeoutChanged(): void {
    this.#socket.idleTimeoutChanged();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** The timeouts of HTTP connections, and those of hrpc alone. */
class ServerTimeouts implements HrpcTimeouts {
  readonly #server: CodecServer;
  readonly #settings: HrpcSettings;

  constructor(server: CodecServer, settings: HrpcSettings) {
    this.#server = server;
    this.#settings = settings;
  }

  get beginTimeout(): number {
    return this.#server.settings.headTimeout;
  }

  get idleTimeout(): number {
    return this.#server.settings.idleTimeout;
  }

  get writeTimeout(): number {
    return this.#server.settings.writeTimeout;
  }

  get pingInterval(): number {
    return this.#settings.hrpcPingInterval;
  }

  get pingTimeout(): number {
    return this.#settings.hrpcPingTimeout;
  }
}

/** Of what we take, in bytes. Not a prop: larger ones would only delay other streams. */
export const maxFrameSize = 64 * 1024;
