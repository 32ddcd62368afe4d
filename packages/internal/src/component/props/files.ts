// path, paths, module: values that name files. The paths become absolute when they are read. No file is opened before
// its use.

import { resolve } from "node:path";
import { ConfigError } from "../../config/config-error.ts";
import type { SourceSpan } from "../../config/spec.ts";
import { examineModule, loadModule, ModuleError } from "../modules/load-module.ts";
import { faultDetails } from "../modules/module-fault.ts";
import { defaultSource } from "../written.ts";
import { listType, oneOrList } from "./collections.ts";
import type { CountBounds } from "./collections.ts";
import { propMaker } from "./prop-type.ts";
import type { PropType } from "./prop-type.ts";
import { refuse } from "./refuse.ts";

/** A TypeScript or JavaScript file of the program. */
export interface Module {
  /** Absolute. */
  readonly file: string;
  /**
   * Imports the file, once in the life of the process. Rejects with a ConfigError, HEMI_MODULE, which names the prop,
   * the reason, and the position in the module.
   */
  load(): Promise<unknown>;
  /** Parses the file with all its imports, and evaluates nothing. Rejects like `load`. */
  examine(): Promise<void>;
}

export function isModule(value: unknown): value is Module {
  return typeof value === "object" && value !== null && "file" in value && "load" in value && "examine" in value;
}

export interface PathOptions {
  /** The directory against which a relative default is resolved, instead of the base directory. */
  readonly defaultIn?: "logsDir" | "tmpsDir" | "varsDir";
}

/**
 * A file or folder. A relative path is resolved against the base directory: `%baseDir + "/web"` and `"web"` are the
 * same.
 */
export const path = propMaker<string, string, PathOptions>(({ defaultIn }: PathOptions = {}) => ({
  name: "path",
  takes: "a path",
  read(value, label, reader) {
    if (value.type !== "string" || value.value === "" || value.value.includes("\0")) {
      return refuse(this, value, label, reader);
    }
    const isDefault = defaultIn !== undefined && value.span.source === defaultSource;
    return resolve((isDefault ? reader.constants.get(defaultIn) : undefined) ?? reader.baseDir, value.value);
  },
  jsonSchema: () => ({ type: "string", minLength: 1 }),
}));

const moduleFile = /\.[cm]?[jt]s$/;

/** Files in order. A single file needs no list. */
export const paths = propMaker<readonly string[], string | readonly string[], CountBounds>((bounds) => {
  const one = path().type;
  return { ...oneOrList(one, listType(one, "a list of paths", bounds)), name: "paths" };
});

const moduleType: PropType<Module> = {
  name: "module",
  takes: "the path of a TypeScript or JavaScript file",
  read(value, label, reader) {
    if (value.type !== "string" || !moduleFile.test(value.value)) {
      const isJSX = value.type === "string" && /\.[jt]sx$/.test(value.value);
      return refuse(
        this,
        value,
        label,
        reader,
        isJSX ? "Node.js runs no JSX: name what is compiled from it" : undefined,
      );
    }
    const file = resolve(reader.baseDir, value.value);
    const { span } = value;
    const path = reader.path;
    return {
      file,
      load: () => loadModule(file).catch((error: unknown) => blameProp(error, span, path)),
      examine: () => examineModule(file).catch((error: unknown) => blameProp(error, span, path)),
    };
  },
  plain: ({ file }) => file,
  jsonSchema: () => ({ type: "string", pattern: moduleFile.source }),
};

/**
 * A TypeScript or JavaScript file of the program: `"app.ts"`. A relative path is resolved against the base directory.
 */
export const module = propMaker<Module, string>(() => moduleType);

/** Rethrows the error of a module at the position of the prop that names the module. */
function blameProp(error: unknown, span: SourceSpan, path: string): never {
  if (!(error instanceof ModuleError)) throw error;
  const { message, fault, code } = error;
  const details = faultDetails(fault);
  throw new ConfigError([{ code, message, hint: fault.fix, span, path, ...(details !== "" && { details }) }]);
}
