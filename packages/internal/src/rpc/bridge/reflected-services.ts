// The services of foreign gRPC servers as these tell of them by reflection: asked at the start, and now and then later.

import { createHash } from "node:crypto";
import { toBinary, type FileRegistry } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { RpcError, type Transport } from "@hemi/common/rpc";
import type { ErrorLog } from "../../log/error-log.ts";
import { askReflection } from "../grpc-client/reflected-service.ts";
import type { ServedBundlet } from "../served-bundlet.ts";
import { isOurs } from "./descriptor-file.ts";
import { foreignBundlet } from "./foreign-bundlet.ts";

export interface ReflectedOptions {
  readonly transport: Transport;
  /** Read when used: live. The interval in ms. */
  readonly settings: { readonly only: readonly string[] | undefined; readonly reflectionInterval: number };
  readonly log: ErrorLog;
  /** The servers have other services than before. */
  readonly found: (bundlets: readonly ServedBundlet[]) => void;
}

export class ReflectedServices {
  readonly #options: ReflectedOptions;
  #timer: NodeJS.Timeout | undefined;
  /** Ends what is asked when nobody wants to know any more. */
  readonly #closed = new AbortController();
  /** Of what was found last. */
  #digest = "";
  /** One after another: while there was no answer, they are asked soon again. */
  #failures = 0;

  constructor(options: ReflectedOptions) {
    this.#options = options;
  }

  /** Asks now, and from then on again and again. */
  ask(): void {
    this.#find().then(
      () => {
        if (this.#failures > 0) this.#options.log.info("the servers answer to reflection");
        this.#failures = 0;
        this.#askLater();
      },
      (error: unknown) => {
        if (this.#failures === 0 && !this.#closed.signal.aborted) {
          this.#options.log.error("the servers do not answer to reflection; they are asked again", { error });
        }
        this.#failures++;
        this.#askLater();
      },
    );
  }

  close(): void {
    this.#closed.abort();
    clearTimeout(this.#timer);
  }

  #askLater(): void {
    if (this.#closed.signal.aborted) return;
    const { reflectionInterval } = this.#options.settings;
    const isUnknown = this.#digest === "";
    const wait = isUnknown ? Math.min(reflectionInterval, firstPause * 2 ** this.#failures) : reflectionInterval;
    this.#timer = setTimeout(() => this.ask(), wait);
  }

  async #find(): Promise<void> {
    const { transport, settings, log, found } = this.#options;
    const signal = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(maxTime)]);
    const reflection = askReflection(transport, signal);
    const names = settings.only ?? (await reflection.listServices()).filter((name) => !isOurs(name));
    if (names.length > maxServices) {
      throw new RpcError("resource_exhausted", `there are ${names.length} services, more than ${maxServices}`);
    }
    const digest = createHash("sha256");
    const bundlets: ServedBundlet[] = [];
    for (const name of names) {
      const registry = await reflection.filesOf(name);
      const service = registry.getService(name);
      if (service === undefined) throw new RpcError("not_found", `the servers have no service ${name}`);
      addTo(digest, registry);
      bundlets.push(foreignBundlet({ service, registry, transport, log }));
    }
    const now = digest.digest("hex");
    if (this.#closed.signal.aborted || now === this.#digest) return;
    this.#digest = now;
    found(bundlets);
  }
}

function addTo(digest: ReturnType<typeof createHash>, registry: FileRegistry): void {
  for (const { proto } of registry.files) digest.update(toBinary(FileDescriptorProtoSchema, proto));
}

/** In ms. */
const firstPause = 250;
/** What servers may make us keep, and wait for, in ms. */
const maxServices = 1000;
const maxTime = 120_000;
