// Loads the module of an app, and finds the app in it.

import { type Module, PropError } from "@hemi/internal";

/**
 * The default export, looked at by `find`, which gives `undefined` for what is no app. Rejects with HEMI_MODULE, which
 * says what is `wanted`.
 */
export async function loadApp<App>(
  module: Module,
  wanted: string,
  find: (exported: unknown) => App | undefined | Promise<App | undefined>,
): Promise<App> {
  const namespace = await module.load();
  const hasDefault = isObject(namespace) && "default" in namespace;
  const exported: unknown = hasDefault ? await namespace["default"] : undefined;
  const app = await find(exported);
  if (app !== undefined) return app;
  const found = hasDefault ? `its default export is ${describe(exported)}` : "it has no default export";
  throw new PropError(
    "module",
    "HEMI_MODULE",
    `the module ${module.file} must export ${wanted} as its default; ${found}`,
  );
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value === "undefined" ? "undefined" : `a ${typeof value}`;
  const name = value.constructor.name;
  return name === "Object" ? `an object of ${Object.keys(value).join(", ") || "nothing"}` : `an instance of ${name}`;
}
