// sockProxy: passes WebSockets, and whatever else a client may upgrade to, on to a backend of their own, without
// looking into them.

import type { Context } from "../../stage/context.ts";
import { backendKind } from "../../backend/kind.ts";
import { tunnelBackend } from "../../http/web-backend.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { Explanation } from "../explain/explanation.ts";
import { defineSocklet, type SockletPart } from "../kinds.ts";
import type { Request } from "../request/request.ts";
import type { Upgrade } from "../websocket/upgrade.ts";
import { ResponseEdits } from "./response-edits.ts";
import { retryRulesOf } from "./retries.ts";
import { attemptProps, passedTimeoutProps } from "./exchange-props.ts";
import { FieldEdits } from "./field-edits.ts";
import { checkOwnBackend, ownBackend, ownBackendProps } from "./own-backend.ts";
import { checkRequestProps, PassedRequests, requestProps } from "./passed-requests.ts";
import { handshakeFields, PassedUpgrades, upgradeProps } from "./passed-upgrades.ts";

const props = {
  /** The backend that answers. */
  toBackend: prop.reference(backendKind, { offering: tunnelBackend, required: true, inherited: true }),
  ...ownBackendProps,
  ...requestProps,
  ...attemptProps,
  ...passedTimeoutProps,
  ...upgradeProps,
};

type SockProxyProps = PropsOf<typeof props>;

/**
 * Passes WebSockets and other upgrades on to a backend; other requests are left to the next socklet or handlet.
 * `httpProxy` does the same besides its requests: sockProxy is for WebSockets with a backend or limits of their own. If
 * the node does not accept the upgrade, its response goes to the client. Otherwise bytes go in both directions, each at
 * the pace of its reader, also while the server drains, until its deadline. Its own responses: 400 for a malformed
 * handshake, 502 if the node cannot be reached or accepts what was not requested, 503 if no node can take more, 504 if
 * it is too slow, 508 for a loop.
 */
export const sockProxy = defineSocklet({
  sign: "sockProxy",
  props,
  shorthand: ownBackend,
  check(context) {
    checkOwnBackend(context);
    checkRequestProps(context);
  },
  create: (context): SockletPart => new SockProxy(context),
});

class SockProxy implements SockletPart {
  readonly #context: Context<SockProxyProps>;
  readonly #upgrades: PassedUpgrades;

  constructor(context: Context<SockProxyProps>) {
    this.#context = context;
    const { props, log } = context;
    const requests = new PassedRequests(context, handshakeFields.request);
    this.#upgrades = new PassedUpgrades(context, requests, {
      log,
      answers: new ResponseEdits({
        edits: new FieldEdits({
          set: props.setResponseHeaders,
          add: props.addResponseHeaders,
          del: props.delResponseHeaders,
        }),
        paths: requests.paths,
        rewritesLocation: true,
        rewritesCookies: !requests.paths.isEmpty || props.hostname !== undefined,
        dropped: handshakeFields.response,
      }),
      retries: retryRulesOf(props, false),
      takesAccelRedirect: false,
      bufferedAnswer: 0,
    });
  }

  update(changed: ReadonlySet<string>): void {
    this.#upgrades.update(changed);
  }

  shutdown(): void {
    this.#upgrades.close();
  }

  handle({ req, resp }: Upgrade): boolean | Promise<boolean> {
    const upgrade = this.#upgrades.find(this.#context.props.toBackend.current, req);
    return upgrade === undefined ? false : this.#upgrades.pass(upgrade, req, resp);
  }

  explain(req: Request): Explanation {
    const upgrade = this.#upgrades.find(this.#context.props.toBackend.current, req);
    if (upgrade !== undefined) return this.#upgrades.explain(upgrade, req);
    const passed = this.#context.props.upgrades.join(", ");
    return { takes: "no", text: `passes ${passed} on, not ${req.upgrades.join(", ")}` };
  }
}
