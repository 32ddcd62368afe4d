// What there is to tell about: the kinds, and the components of the packages that are published.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { corePack } from "../../packages/internal/src/core-pack.ts";
import { isPack, type Definition, type Kind } from "../../packages/internal/src/index.ts";
import { kinds } from "../../packages/internal/src/kinds.ts";
import { publicPackages } from "../workspace.mjs";

export interface Engine {
  /** In the order in which they are prepared. */
  readonly kinds: readonly Kind[];
  readonly components: readonly DeclaredComponent[];
}

export interface DeclaredComponent {
  readonly definition: Definition;
  /** `@hemi/contrib-handlets` */
  readonly packageName: string;
  /** The folder of that package, relative to the root. */
  readonly folder: string;
}

/** All that a configuration can name without packs of the user's own. */
export async function loadEngine(root: string): Promise<Engine> {
  const core = componentsOf(corePack.definitions, "@hemi/internal", "packages/internal");
  const contribs = publicPackages().filter(({ manifest }) => manifest.name.startsWith("@hemi/contrib-"));
  const others = await Promise.all(
    contribs.map(async ({ folder, manifest }) => {
      const entry = pathToFileURL(join(root, folder, "src", "index.ts")).href;
      const { default: pack } = (await import(entry)) as { readonly default?: unknown };
      if (!isPack(pack)) throw new Error(`${folder}/src/index.ts has no pack as its default export`);
      return componentsOf(pack.definitions, manifest.name, folder);
    }),
  );
  return { kinds, components: [...core, ...others.flat()] };
}

function componentsOf(
  definitions: readonly Definition[],
  packageName: string,
  folder: string,
): readonly DeclaredComponent[] {
  return definitions.map((definition) => ({ definition, packageName, folder }));
}

/** The kinds that may stand directly in one, or in the stage. */
export function kindsIn(engine: Engine, owner: string): readonly Kind[] {
  return engine.kinds.filter(({ standsIn }) => standsIn.some((standing) => standing.owner === owner));
}

/** The components of kinds that may stand somewhere in one, however deep; or in the stage. */
export function componentsWithin(engine: Engine, owner: string): readonly DeclaredComponent[] {
  const within = new Set<string>();
  const add = (name: string): void => {
    for (const { name: child } of kindsIn(engine, name)) {
      if (within.has(child)) continue;
      within.add(child);
      add(child);
    }
  };
  add(owner);
  return engine.components.filter(({ definition }) => within.has(definition.kind.name));
}
