// The routes of all procedures that have annotations of google.api.http.

import type { DescService } from "@bufbuild/protobuf";
import type { ServedBundlet } from "../served-bundlet.ts";
import { HttpBinding } from "./http-binding.ts";
import { HttpRoutes } from "./http-routes.ts";
import { httpRulesOf } from "./http-rule.ts";

/** What the annotations of some bundlets come to. */
export interface BuiltRoutes {
  readonly routes: HttpRoutes;
  /** In order, those of each procedure by its path. */
  readonly bindings: ReadonlyMap<string, readonly HttpBinding[]>;
  /** What is wrong with annotations, which are left out: in one line each. */
  readonly problems: readonly string[];
}

export function buildRoutes(bundlets: readonly ServedBundlet[]): BuiltRoutes {
  const routes = new HttpRoutes();
  const bindings = new Map<string, HttpBinding[]>();
  const problems: string[] = [];
  for (const { bundlet, procedures } of bundlets) {
    if (!isService(bundlet.descriptor)) continue;
    const served = new Map(procedures.map((each) => [each.path, each]));
    for (const method of bundlet.descriptor.methods) {
      const path = `/${bundlet.name}/${method.name}`;
      const procedure = served.get(path);
      if (procedure === undefined) continue;
      try {
        for (const rule of httpRulesOf(method)) {
          const binding = new HttpBinding(procedure, method, rule);
          routes.add(binding);
          bindings.set(path, [...(bindings.get(path) ?? []), binding]);
        }
      } catch (error) {
        problems.push(`the annotation google.api.http of ${path}: ${error instanceof Error ? error.message : ""}`);
      }
    }
  }
  return { routes, bindings, problems };
}

/** Whether the descriptor of a bundlet is there. */
export function isService(descriptor: unknown): descriptor is DescService {
  return typeof descriptor === "object" && descriptor !== null && "kind" in descriptor && descriptor.kind === "service";
}
