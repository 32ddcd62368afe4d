// Asks a node by a request whether it is well, whatever HTTP version it speaks.

import { connectionFields, FieldNames } from "./field-names.ts";
import { noFields } from "./fields.ts";
import type { Probe } from "../backend/active-health.ts";
import type { NodeOwner } from "../backend/backend.ts";
import { Node, type NodePool, type NodeSpec } from "../backend/node.ts";
import type { Waiter } from "../backend/node-group.ts";
import type { SelectionHint } from "../backend/selection-hint.ts";
import type { ResponseHandler, BackendRequest, WebExchange } from "./web-backend.ts";

/** What is asked, looked at each time: live. */
export interface HealthQuestion {
  readonly healthPath: string;
  /** Empty: 200 to 399. */
  readonly healthStatuses: readonly number[];
  /** What the node is asked for; "": its own name, or address. */
  readonly healthHost: string;
}

/** How a protocol asks, by the connections of `Pool`. `timeout`: in ms, for whatever has to be waited for. */
export interface ProbeProtocol<Pool extends NodePool> {
  makePool(spec: NodeSpec, timeout: number): Pool;
  newExchan(
    request: BackendRequest,
    wish: SelectionHint,
    taker: ResponseHandler,
    owner: NodeOwner<Pool>,
  ): WebExchange & Waiter<Pool>;
}

/** Each check is a request on a connection of its own: whether new ones can be had is a part of the question. */
export function probeHTTP<Pool extends NodePool>(question: HealthQuestion, protocol: ProbeProtocol<Pool>): Probe {
  return (spec, timeout, signal) =>
    new Promise((resolve) => {
      const node = new Node<Pool>(
        { ...spec, keepConns: 0 },
        (spec) => protocol.makePool(spec, timeout),
        () => 0,
        () => 0,
      );
      const end = (failure: string | undefined) => {
        signal.removeEventListener("abort", giveUp);
        node.pool.destroy();
        resolve(failure);
      };
      const request: BackendRequest = {
        method: "GET",
        scheme: "http",
        authority: question.healthHost,
        target: question.healthPath,
        received: noFields,
        dropped,
        added: ["user-agent", "hemi-health"],
        contentSize: 0,
      };
      const exchan = protocol.newExchan(
        request,
        { key: "", stickTo: "", tried: [] },
        {
          interim() {},
          answered({ status }) {
            const expected = question.healthStatuses;
            const isGood = expected.length === 0 ? status < 400 : expected.includes(status);
            // What else it says does not matter.
            exchan.cancel();
            end(isGood ? undefined : `it answered ${status}`);
          },
          content: () => true,
          ended() {},
          failed: ({ message }) => end(message),
        },
        nobody,
      );
      const giveUp = () => {
        exchan.cancel();
        end("the check was given up");
      };
      signal.addEventListener("abort", giveUp);
      exchan.entered(node);
    });
}

const dropped = new FieldNames(connectionFields);

/** A check says nothing of how real work goes. */
const nobody = { leave() {}, judge() {}, depart() {}, forget() {} };
