// The routes of all procedures that have rules of HTTP: annotations of google.api.http, or paths in TypeScript.

import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ServedBundlet, ServedProcedure } from "../served-bundlet.ts";
import { declaredRule } from "./declared-rule.ts";
import { httpRulesOf } from "./http-annotations.ts";
import { HttpBinding } from "./http-binding.ts";
import { HttpRoutes } from "./http-routes.ts";
import { ProtoMessageFields } from "./proto-fields.ts";
import { schemaFields } from "./schema-fields.ts";

/** What the rules of some bundlets come to. */
export interface BuiltRoutes {
  readonly routes: HttpRoutes;
  /** In order, those of each procedure by its path. */
  readonly bindings: ReadonlyMap<string, readonly HttpBinding[]>;
  /** What is wrong with rules, which are left out: in one line each. */
  readonly problems: readonly string[];
}

export function buildRoutes(bundlets: readonly ServedBundlet[]): BuiltRoutes {
  const routes = new HttpRoutes();
  const bindings = new Map<string, HttpBinding[]>();
  const problems: string[] = [];
  for (const { bundlet, procedures } of bundlets) {
    const methods = isService(bundlet.descriptor) ? bundlet.descriptor.methods : [];
    for (const served of procedures) {
      const { path } = served;
      try {
        for (const binding of bindingsOf(served, methods)) {
          routes.add(binding);
          bindings.set(path, [...(bindings.get(path) ?? []), binding]);
        }
      } catch (error) {
        problems.push(`the rule of HTTP of ${path}: ${error instanceof Error ? error.message : ""}`);
      }
    }
  }
  return { routes, bindings, problems };
}

/** By the annotation of its method, or by its declaration in TypeScript. Throws Error. */
function bindingsOf(served: ServedProcedure, methods: readonly DescMethod[]): readonly HttpBinding[] {
  const { http = [], input, output } = served.procedure;
  const name = served.path.slice(served.path.lastIndexOf("/") + 1);
  const method = methods.find((each) => each.name === name);
  if (method !== undefined) {
    const [taken, given] = [new ProtoMessageFields(method.input), new ProtoMessageFields(method.output)];
    return httpRulesOf(method).map((rule) => new HttpBinding(served, rule, taken, given));
  }
  if (http.length === 0) return [];
  const taken = schemaFields(`${name} input`, input.jsonSchema("input"));
  const given = schemaFields(`${name} output`, output.jsonSchema("output"));
  return http.map((path) => new HttpBinding(served, declaredRule(path), taken, given));
}

/** Whether the descriptor of a bundlet is there. */
export function isService(descriptor: unknown): descriptor is DescService {
  return typeof descriptor === "object" && descriptor !== null && "kind" in descriptor && descriptor.kind === "service";
}
