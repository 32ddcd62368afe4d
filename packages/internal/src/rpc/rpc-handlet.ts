// rpcHandlet: serves RPC services inside a rule, beside web pages.

import type { Context } from "../stage/context.ts";
import type { Explanation } from "../web/explain/explanation.ts";
import { defineHandlet, type HandletPart } from "../web/kinds.ts";
import type { Request } from "../web/request/request.ts";
import type { Response } from "../web/response/response.ts";
import { examinedDispatcher } from "./examined-dispatcher.ts";
import type { RpcDispatcher } from "./rpc-dispatcher.ts";
import { rpcProps, type RpcSettings } from "./rpc-props.ts";

/**
 * Serves RPC services inside a rule, by gRPC, gRPC-Web, Connect, JSON and event streams. What is no call of one of
 * their procedures is left to the next handlet.
 */
export const rpcHandlet = defineHandlet({
  sign: "rpcHandlet",
  props: rpcProps,
  create: (context): HandletPart => new RpcHandlet(context),
});

class RpcHandlet implements HandletPart {
  /** Messages have a limit of their own. */
  readonly defaultMaxContentSize = Infinity;
  readonly #context: Context<RpcSettings>;
  #dispatcher: RpcDispatcher | undefined;

  constructor(context: Context<RpcSettings>) {
    this.#context = context;
  }

  async examine(): Promise<void> {
    await examinedDispatcher(this.#context);
  }

  async prepare(): Promise<void> {
    this.#dispatcher = await examinedDispatcher(this.#context);
    await this.#dispatcher.prepare();
  }

  compose(): void {
    this.#dispatcher?.compose();
  }

  handle(req: Request, resp: Response): boolean {
    return this.#dispatcher?.handle(req, resp) ?? false;
  }

  async explain(req: Request): Promise<Explanation> {
    const { explainCall } = await import("./explain-call.ts");
    return explainCall(this.#context.props, req);
  }

  update(): void {
    this.#dispatcher?.compose();
  }

  drain(deadline: number): void | Promise<void> {
    return this.#dispatcher?.drain(deadline);
  }

  shutdown(): void {
    this.#dispatcher?.shutdown();
  }
}
