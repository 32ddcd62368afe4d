// grpcService: the services of foreign gRPC servers, as if they were our own. They are called by all protocols that our
// own services have: JSON with the paths of google.api.http, gRPC-Web, Connect, event streams, hrpc.

import type { PropsOf } from "../../component/props/prop-type.ts";
import { prop } from "../../component/prop.ts";
import { backendKind } from "../../backend/kind.ts";
import { webBackend } from "../../http/web-backend.ts";
import type { Context } from "../../stage/context.ts";
import { grpcTransport } from "../grpc-client/grpc-transport.ts";
import { defineService, type ServicePart } from "../kinds.ts";
import type { ServedBundlet } from "../served-bundlet.ts";
import type { ReflectedServices } from "./reflected-services.ts";

const props = {
  /** The gRPC servers: an http2Backend. */
  toBackend: prop.reference(backendKind, { offering: webBackend, required: true }),
  /**
   * A file with the descriptors of the services, as `protoc --include_imports --descriptor_set_out=FILE` writes it.
   * Unset: the servers are asked by reflection (grpc.reflection v1, else v1alpha), and nothing is served until one has
   * answered.
   */
  descriptors: prop.path(),
  /** Full names of the services to be served, such as `shop.v1.Stock`. Unset: all, but for health and reflection. */
  only: prop.strings({ min: 1 }),
  /** How often the servers are asked again, where there are no `descriptors`: they may have been replaced by others. */
  reflectionInterval: prop.duration({ default: "1m", min: "1s", reload: "live" }),
  /** What the servers are asked for as their host, such as `stock.example`. Unset: the address of the node. */
  authority: prop.string({ reload: "live" }),
  /** Maximum size of a message of an answer, in bytes, before and after decompression. More: `resource_exhausted`. */
  maxAnswerSize: prop.size({ default: "4M", min: 1, max: "1G", reload: "live" }),
};

/** The values of `props`. */
export type GrpcServiceSettings = PropsOf<typeof props>;

/**
 * The services of foreign gRPC servers, for `rpcHandlet` and `rpcServer`: so a server that speaks gRPC only is called
 * by JSON, gRPC-Web, Connect and event streams, too. Metadata passes in both directions, as do deadlines and
 * cancellation. What the servers have is known from a file of descriptors, or by reflection.
 */
export const grpcService = defineService({
  sign: "grpcService",
  props,
  create: (context): ServicePart => new GrpcService(context),
});

class GrpcService implements ServicePart {
  readonly #context: Context<GrpcServiceSettings, undefined>;
  #bundlets: readonly ServedBundlet[] = [];
  #reflected: ReflectedServices | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(context: Context<GrpcServiceSettings, undefined>) {
    this.#context = context;
  }

  get bundlets(): readonly ServedBundlet[] {
    return this.#bundlets;
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  async examine(): Promise<void> {
    await this.#load();
  }

  async prepare(): Promise<void> {
    // Most configurations have no such service, and need not load protobuf.
    const { ReflectedServices } = await import("./reflected-services.ts");
    this.#bundlets = await this.#load();
    if (this.#context.props.descriptors !== undefined) return;
    const { props, log } = this.#context;
    this.#reflected = new ReflectedServices({
      transport: this.#transport(),
      settings: props,
      log,
      found: (bundlets) => {
        this.#bundlets = bundlets;
        for (const changed of [...this.#listeners]) changed();
      },
    });
  }

  start(): void {
    this.#reflected?.ask();
  }

  shutdown(): void {
    this.#reflected?.close();
  }

  /** Those of the file; none without one. Throws PropError. */
  async #load(): Promise<readonly ServedBundlet[]> {
    const { descriptors, only } = this.#context.props;
    if (descriptors === undefined) return [];
    const [{ servicesOfFile }, { foreignBundlet }] = await Promise.all([
      import("./descriptor-file.ts"),
      import("./foreign-bundlet.ts"),
    ]);
    const { services, registry } = await servicesOfFile(descriptors, only);
    const { log } = this.#context;
    return services.map((service) => foreignBundlet({ service, registry, transport: this.#transport(), log }));
  }

  #transport() {
    const { props } = this.#context;
    return grpcTransport(() => props.toBackend.current, {
      get maxMessageSize() {
        return props.maxAnswerSize;
      },
      get authority() {
        return props.authority ?? "";
      },
    });
  }
}
