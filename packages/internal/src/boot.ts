// The assembled engine: functions that boot stages with the kinds and components of this package.

import type { Pack } from "./component/pack.ts";
import type { ConfigObject } from "./config/object.ts";
import { corePack } from "./core-pack.ts";
import { clock, fcache, namer } from "./fixtures/definitions.ts";
import { kinds } from "./kinds.ts";
import { openErrorLog } from "./log/error-log.ts";
import { OwnSockets, socketsOfAddress } from "./net/bound-socket.ts";
import { Listeners } from "./net/listener.ts";
import { foreignNames } from "./web/foreign-names.ts";
import { Stage } from "./stage.ts";
import { bootSource, type BootOptions, type Engine } from "./stage/boot.ts";
import type { ConfigSource, StageComponents } from "./stage/stage.ts";
import type { CheckedTree, ComponentsIn, DefinitionsIn } from "./stage/tree.ts";

/** The type of the pack with the engine's own components. */
export type CorePack = typeof corePack;

/** All functions reject with a ConfigError, which lists all problems of the configuration. */
export interface Boot<Packs extends readonly Pack[] = readonly Pack[]> {
  /** Boots a file. The path is relative to the working directory. Rejects with HEMI_FILE if it cannot be read. */
  readonly bootFile: (path: string, options?: BootOptions) => Promise<Stage>;
  /** Boots a text. `name` identifies it in errors (default: `<text>`). */
  readonly bootText: (text: string, options?: BootOptions & { readonly name?: string }) => Promise<Stage>;
  /**
   * Boots a TypeScript object that is checked by the types of the packs in use. The named components of the stage are
   * known by path.
   */
  readonly bootTree: <const Tree extends ConfigObject, const Use extends readonly Pack[] = readonly []>(
    // Two unions: of the packs in one tuple, the compiler could not hold the definitions.
    tree: Tree & CheckedTree<Tree, DefinitionsIn<Packs> | DefinitionsIn<Use>>,
    options?: BootOptions<Use>,
  ) => Promise<Stage<ComponentsIn<Tree, DefinitionsIn<Packs> | DefinitionsIn<Use>>>>;
  /** Boots a computed TypeScript object, without type checks. */
  readonly bootObject: (object: ConfigObject, options?: BootOptions) => Promise<Stage>;
}

/** Makes the functions that boot stages. */
export function makeBoot<const Packs extends readonly Pack[]>(engine: Engine<Packs>): Boot<Packs> {
  const boot = <Components extends StageComponents>(
    source: ConfigSource,
    options: BootOptions,
  ): Promise<Stage<Components>> => bootSource(engine, source, options, (made) => new Stage<Components>(made));
  return {
    bootFile: (file, options = {}) =>
      boot({ file, ...(options.files === undefined ? {} : { files: options.files }) }, options),
    bootText: (text, options = {}) => boot({ text, name: options.name ?? "<text>" }, options),
    bootTree: (tree, options = {}) => boot({ object: tree }, options),
    bootObject: (object, options = {}) => boot({ object }, options),
  };
}

/** Information about packages that may not be installed. */
export interface KnownPackages {
  /** Maps signs to packages. If a sign is used without its package, the message names the package. Default: empty. */
  readonly knownPackages?: ReadonlyMap<string, string>;
}

/**
 * Makes boot functions for stages in which the components of `packs` need no `use`, in addition to the engine's own
 * components.
 */
export function bootWith<const Packs extends readonly Pack[]>(
  packs: Packs,
  { knownPackages }: KnownPackages = {},
): Boot<readonly [typeof corePack, ...Packs]> {
  return makeBoot<readonly [typeof corePack, ...Packs]>({
    kinds,
    packs: [corePack, ...packs],
    knownPackages,
    foreignNames,
    fixtures: { clock, fcache, namer },
    openLog: () => openErrorLog(),
    makeListeners: () => processListeners,
  });
}

/**
 * The listening sockets of the process. All its stages share them, so that a stage can take over the port of another.
 */
const processListeners = new Listeners(new OwnSockets((addresses) => socketsOfAddress(addresses)));
