// health: tells load balancers and orchestrators whether the program lives, has started, and is ready.

import {
  answerOtherMethod,
  type Context,
  defineHandlet,
  type Explanation,
  type HandletPart,
  prop,
  type PropsOf,
  type Request,
  type Response,
} from "@hemi/internal";

const props = {
  /** Paths of components that may be unable to work although the program counts as ready: `http1Backend.reports`. */
  ignore: prop.strings({ default: [], max: 1000, reload: "live" }),
};

/** What a probe is told. */
interface Health {
  readonly status: "ok" | "starting" | "draining" | "unready";
  /** Of `/readyz`: the components that cannot work. */
  readonly components?: readonly { readonly path: string; readonly reason: string; readonly isIgnored?: true }[];
}

/**
 * Answers GET and HEAD of three paths, with JSON and 200 or 503; leaves all other paths. `/livez`: the process
 * responds. `/startupz`: the stage has started. `/readyz`: it has, it does not drain, and each backend has a usable
 * node; its `components` say what is missing.
 */
export const health = defineHandlet({
  sign: "health",
  props,
  create: (context): HandletPart => new HealthHandlet(context),
});

class HealthHandlet implements HandletPart {
  readonly #context: Context<PropsOf<typeof props>>;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
  }

  handle(req: Request, resp: Response): boolean {
    const health = this.#healthAt(req.path);
    if (health === undefined) return false;
    if (req.method !== "GET" && req.method !== "HEAD") {
      answerOtherMethod(req, resp, ["GET", "HEAD"]);
      return true;
    }
    resp.status = health.status === "ok" ? 200 : 503;
    resp.setHeader("cache-control", "no-store");
    resp.sendJSON(health);
    return true;
  }

  explain({ path }: Request): Explanation {
    if (!paths.includes(path)) return { takes: "no", text: `the path is none of ${paths.join(", ")}` };
    return { takes: "yes", text: "says how the program is" };
  }

  #healthAt(path: string): Health | undefined {
    const phase = this.#phase;
    switch (path) {
      case "/livez":
        return { status: "ok" };
      case "/startupz":
        return { status: phase === "starting" ? "starting" : "ok" };
      case "/readyz":
        return this.#readiness();
      default:
        return undefined;
    }
  }

  /** The program tells its workers that it is about to end, before their stages do. */
  get #phase(): "starting" | "serving" | "draining" {
    const { readiness, workers } = this.#context;
    return workers.isDraining ? "draining" : readiness.phase;
  }

  #readiness(): Health {
    const { readiness, props } = this.#context;
    const phase = this.#phase;
    const components = readiness.unready().map((component) => ({
      ...component,
      ...(props.ignore.includes(component.path) && { isIgnored: true as const }),
    }));
    if (phase !== "serving") return { status: phase, components };
    return { status: components.some(({ isIgnored }) => isIgnored !== true) ? "unready" : "ok", components };
  }
}

const paths: readonly string[] = ["/livez", "/readyz", "/startupz"];
