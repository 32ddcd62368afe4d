// The common parts of FastCGI and SCGI backends: the group of nodes, and the interface for relays.

import { Backend, type BackendSettings, type NodeOwner } from "../backend/backend.ts";
import { BackendPart } from "../backend/backend-part.ts";
import type { ConnSettings } from "../backend/node-conn.ts";
import { ConnPool } from "../backend/conn-pool.ts";
import type { SelectionHint } from "../backend/selection-hint.ts";
import { backendProps, specsOf } from "../backend/props.ts";
import type { ResponseHandler, WebExchange } from "../http/web-backend.ts";
import type { Context } from "../stage/context.ts";
import type { CheckContext } from "../component/definition.ts";
import { prop } from "../component/prop.ts";
import type { PropsOf } from "../component/props/prop-type.ts";
import type { CgiNodeExchan, CgiPool, CgiTraits } from "./node-exchan.ts";
import type { CgiBackend, CgiParams, CgiRequest } from "./programs.ts";

export const cgiBackendProps = {
  ...backendProps,
  /** Maximum size of a response head, in bytes. More: 502. */
  maxHeadSize: prop.size({ default: "32K", min: "1K", max: "1M", reload: "live" }),
  /** Maximum number of fields of a response. More: 502. */
  maxFields: prop.integer({ default: 200, min: 1, max: 10_000, reload: "live" }),
  /** Statuses of responses that count as failures of a node: see `maxFails` and `breakerRatio`. */
  failStatuses: prop.list(prop.integer({ min: 400, max: 599 }), { default: [], reload: "live" }),
};

type CgiBackendProps = PropsOf<typeof cgiBackendProps>;

/** Reports settings that these backends do not support. */
export function checkCgi(context: CheckContext<CgiBackendProps>): void {
  const { props } = context;
  if (props.healthCheck === "http") {
    context.report({ prop: "healthCheck", message: "its nodes do not speak HTTP", hint: 'set .healthCheck = "tcp"' });
  }
  if (props.balancer === "sticky") {
    context.report({
      prop: "balancer",
      message: "no cookie ties clients to its nodes",
      hint: 'set .balancer = "ipHash"',
    });
  }
}

/** The parts that a protocol provides. */
export interface CgiProtocol {
  newParams(): CgiParams;
  newExchan(request: CgiRequest, wish: SelectionHint, taker: ResponseHandler, owner: NodeOwner<CgiPool>): CgiNodeExchan;
}

export class CgiBackendPart extends BackendPart<CgiPool, CgiBackendProps> implements CgiBackend {
  readonly #protocol: CgiProtocol;
  protected readonly backend: Backend<CgiPool>;

  constructor(context: Context<CgiBackendProps>, protocol: CgiProtocol) {
    const { props, log, stage } = context;
    super(props);
    this.#protocol = protocol;
    const settings: BackendSettings & ConnSettings & CgiTraits["settings"] = props;
    this.backend = new Backend<CgiPool>({
      owner: context,
      specs: specsOf(props),
      settings,
      log,
      fixtures: stage,
      makePool: (spec) =>
        new ConnPool(spec, {
          settings,
          traits: { settings },
          tls: undefined,
          makeDeadline: this.backend.makeDeadline,
          isProcessEach: true,
        }),
    });
  }

  newParams(): CgiParams {
    return this.#protocol.newParams();
  }

  exchange(request: CgiRequest, wish: SelectionHint, taker: ResponseHandler): WebExchange {
    const exchan = this.#protocol.newExchan(request, wish, taker, this.backend);
    this.backend.enter(exchan);
    return exchan;
  }
}
