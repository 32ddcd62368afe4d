// Asks a node over HTTP/1 whether it is well.

import type { Probe } from "../backend/active-health.ts";
import { ConnPool, type PoolOptions } from "../backend/conn-pool.ts";
import { Node } from "../backend/node.ts";
import type { BackendRequest } from "../backend/web-backend.ts";
import { connectionFields, FieldNames } from "../web/field-names.ts";
import { noFields } from "../web/fields.ts";
import { Http1ClientExchan } from "./client-exchan.ts";
import type { Http1ClientTraits, Http1Pool } from "./client-traits.ts";

export interface ProbeOptions {
  readonly path: () => string;
  /** Empty: 200 to 399. */
  readonly statuses: () => readonly number[];
  /** What the node is asked for; "": its address. */
  readonly host: () => string;
  readonly pool: () => PoolOptions<Http1ClientTraits>;
}

/** Each check is a request on a connection of its own: whether new ones can be had is a part of the question. */
export function probeHTTP({ path, statuses, host, pool }: ProbeOptions): Probe {
  return (spec, timeout, signal) =>
    new Promise((resolve) => {
      const { settings, ...rest } = pool();
      const limited = { ...settings, dialTimeout: timeout, readTimeout: timeout, writeTimeout: timeout };
      const node = new Node<Http1Pool>(
        { ...spec, keepConns: 0 },
        (spec) => new ConnPool(spec, { ...rest, settings: limited }),
        () => 0,
        () => 0,
      );
      const end = (failure: string | undefined) => {
        node.pool.destroy();
        resolve(failure);
      };
      const request: BackendRequest = {
        method: "GET",
        scheme: "http",
        authority: host() === "" ? node.id.replace(/^\/.*/, "localhost") : host(),
        target: path(),
        received: noFields,
        dropped,
        added: ["user-agent", "hemi-health"],
        contentSize: 0,
      };
      const exchan = new Http1ClientExchan(
        request,
        { key: "", stickTo: "", tried: [] },
        {
          interim() {},
          answered({ status }) {
            const expected = statuses();
            const isGood = expected.length === 0 ? status < 400 : expected.includes(status);
            // What else it says does not matter.
            exchan.cancel();
            end(isGood ? undefined : `it answered ${status}`);
          },
          content: () => true,
          ended() {},
          failed: ({ message }) => end(message),
        },
        { leave() {}, judge() {}, depart() {}, forget() {} },
      );
      signal.addEventListener("abort", () => {
        exchan.cancel();
        end("the check was given up");
      });
      exchan.entered(node);
    });
}

const dropped = new FieldNames(connectionFields);
