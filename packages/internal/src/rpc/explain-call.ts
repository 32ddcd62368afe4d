// What would become of a request that calls a procedure, for `hemi explain`.

import type { Explanation } from "../web/explain/explanation.ts";
import { withoutPrefix } from "../web/request/path-prefix.ts";
import type { Request } from "../web/request/request.ts";
import { readRpcRequest } from "./doors/choose-door.ts";
import { buildRoutes } from "./http-rules/build-routes.ts";
import type { RpcSettings } from "./rpc-props.ts";
import type { ServedProcedure } from "./served-bundlet.ts";

/** Has no side effects. The services need not be prepared: those of a grpcService are not known then. */
export function explainCall(settings: RpcSettings, req: Request): Explanation {
  const { stripPrefix, openAPI } = settings;
  const path = stripPrefix === undefined ? req.encodedPath : withoutPrefix(stripPrefix, req.encodedPath);
  if (path === undefined) return { takes: "no", text: `its path is not below ${stripPrefix ?? "/"}` };
  if (path === openAPI && req.method === "GET") {
    return { takes: "yes", status: 200, text: "describes all procedures (OpenAPI)" };
  }
  const found = findProcedure(settings, path);
  const asked = readRpcRequest(req);
  if (found !== undefined) {
    if (asked !== undefined) return describe(settings, found, `calls ${path.slice(1)}`);
    const status = req.method === "POST" ? 415 : 405;
    return {
      takes: "yes",
      status,
      text: `${path.slice(1)} is not called like this`,
      details: detailsOf(settings, found),
    };
  }
  if (asked?.isUnmistakable !== true) return explainRoute(settings, path, req);
  const mayCome = settings.services.some(({ current }) => current.onChange !== undefined);
  if (mayCome) return { takes: "yes", text: `calls ${path.slice(1)}, if a server behind has it` };
  return { takes: "yes", text: `there is no procedure ${path}: unimplemented` };
}

interface FoundProcedure {
  /** The name of the component. */
  readonly service: string;
  readonly served: ServedProcedure;
}

function findProcedure({ services }: RpcSettings, path: string): FoundProcedure | undefined {
  for (const { name, current } of services) {
    for (const { procedures } of current.bundlets) {
      const served = procedures.find((each) => each.path === path);
      if (served !== undefined) return { service: name, served };
    }
  }
  return undefined;
}

/** By the paths of google.api.http. */
function explainRoute(settings: RpcSettings, path: string, req: Request): Explanation {
  const { routes } = buildRoutes(settings.services.flatMap(({ current }) => current.bundlets));
  const route = routes.find(req.method === "HEAD" ? "GET" : req.method, path);
  if (route === undefined) {
    const isOtherMethod = routes.methodsAt(path).length > 0;
    return isOtherMethod
      ? { takes: "yes", status: req.method === "OPTIONS" ? 204 : 405, text: `${req.method} calls nothing here` }
      : { takes: "no", text: "its path calls no procedure" };
  }
  const { served, rule } = route.binding;
  const found = findProcedure(settings, served.path);
  const text = `calls ${served.path.slice(1)} by ${rule.method} ${rule.path}`;
  return found === undefined ? { takes: "yes", text } : describe(settings, found, text);
}

function describe(settings: RpcSettings, found: FoundProcedure, text: string): Explanation {
  return { takes: "yes", text: `${text} of the service ${found.service}`, details: detailsOf(settings, found) };
}

function detailsOf(settings: RpcSettings, { served }: FoundProcedure): readonly string[] {
  const { limits, procedure } = served;
  const time = limits.maxTime ?? (procedure.kind === "unary" ? settings.maxTime : settings.maxStreamTime);
  return [
    `${procedure.kind.replace("_", " ")}, idempotency: ${procedure.idempotency.replaceAll("_", " ")}`,
    `at most ${limits.maxMessageSize ?? settings.maxMessageSize} bytes a message, ${time} ms a call`,
    `at most ${limits.maxCalls ?? settings.maxCalls} calls at a time`,
    ...(limits.maxRate === undefined ? [] : [`at most ${limits.maxRate} calls a second`]),
  ];
}
