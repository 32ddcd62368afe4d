// limitDealet: limits what each client may have: connections, new connections, bytes a second.

import { Deadlines } from "@hemi/common";
import {
  clientOf,
  defineDealet,
  prop,
  RatePacer,
  Refusals,
  type TcpsConn,
  tcpsDealet,
  type UdpsSession,
  udpsDealet,
} from "@hemi/internal";

/** What is remembered of a client. */
interface Client {
  conns: number;
  /** When as many as `burst` may come again at once, on the monotonic clock: the generic cell rate algorithm. */
  freeAt: number;
  readonly upload: RatePacer;
  readonly download: RatePacer;
}

/**
 * Limits the connections of each client: an IPv4 address, or a /64 network of IPv6. One beyond a limit is ended; the
 * others are left to the next dealet or case. Sessions of datagrams are counted as connections. Each worker process
 * counts for itself.
 */
export const limitDealet = defineDealet({
  sign: "limitDealet",
  props: {
    /** Maximum number of concurrent connections of a client. 0: unlimited. */
    maxConns: prop.integer({ default: 0, max: 1_000_000, reload: "live" }),
    /** How many new connections a client may open in a second, on average. 0: unlimited. */
    newPerSecond: prop.integer({ default: 0, max: 1_000_000, reload: "live" }),
    /** How many new connections may come at once after a pause. Default: as many as `newPerSecond`. */
    burst: prop.integer({ min: 1, max: 1_000_000, reload: "live" }),
    /**
     * How many bytes a second all connections of a client together may send. Datagrams beyond that are dropped. 0:
     * unlimited.
     */
    maxUploadRate: prop.size({ default: 0, reload: "live" }),
    /**
     * How many bytes a second all connections of a client together are sent. Datagrams beyond that are dropped. 0:
     * unlimited.
     */
    maxDownloadRate: prop.size({ default: 0, reload: "live" }),
    /** Maximum number of clients that are remembered without a connection; the oldest are forgotten. */
    maxClients: prop.integer({ default: 100_000, min: 1, max: 10_000_000, reload: "live" }),
  },
  offers: [tcpsDealet, udpsDealet],
  create({ props, stage, log }) {
    const now = (): number => stage.clock.monotonic();
    const deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    const refusals = new Refusals({
      makeDeadline: (onExpired) => deadlines.add(onExpired),
      tell: (count, latest) => log.warn(`refused ${count} connections beyond a limit, the last of ${latest}`),
    });
    /** In the order of their last connection. */
    const clients = new Map<string, Client>();

    const clientAt = (address: string): Client => {
      const key = clientOf(address);
      const client = clients.get(key) ?? {
        conns: 0,
        freeAt: 0,
        upload: new RatePacer(() => props.maxUploadRate, now),
        download: new RatePacer(() => props.maxDownloadRate, now),
      };
      clients.delete(key);
      clients.set(key, client);
      if (clients.size > props.maxClients) forgetOldest();
      return client;
    };

    /** Those with connections are kept: the router limits their number. */
    const forgetOldest = (): void => {
      let looks = 0;
      for (const [key, { conns }] of clients) {
        if (conns === 0) return void clients.delete(key);
        if (++looks >= maxLooks) return;
      }
    };

    const mayCome = (client: Client): boolean => {
      if (props.maxConns > 0 && client.conns >= props.maxConns) return false;
      if (props.newPerSecond === 0) return true;
      const step = 1000 / props.newPerSecond;
      const { burst = props.newPerSecond } = props;
      const next = Math.max(client.freeAt, now()) + step;
      if (next - now() > step * burst + 0.001) return false;
      client.freeAt = next;
      return true;
    };

    const admit = (conn: TcpsConn | UdpsSession): Client | undefined => {
      const client = clientAt(conn.srcHost);
      if (!mayCome(client)) {
        refusals.add(conn.srcHost);
        conn.close("refused");
        return undefined;
      }
      client.conns++;
      conn.onClose(() => client.conns--);
      return client;
    };

    return {
      takeConn(conn) {
        const client = admit(conn);
        if (client === undefined) return true;
        if (props.maxUploadRate > 0) conn.link.paceReading(client.upload);
        if (props.maxDownloadRate > 0) conn.link.paceWriting(client.download);
        return false;
      },
      takeSession(session) {
        const client = admit(session);
        if (client === undefined) return true;
        if (props.maxUploadRate > 0) session.policeReceiving(client.upload);
        if (props.maxDownloadRate > 0) session.policeSending(client.download);
        return false;
      },
      shutdown() {
        refusals.close();
        deadlines.close();
      },
      explain: () => ({ takes: "maybe", text: "ends it if the client is beyond a limit" }),
    };
  },
});

/** How many clients with connections are passed over in the search for one to forget. */
const maxLooks = 100;
