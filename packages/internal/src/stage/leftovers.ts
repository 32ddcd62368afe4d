// Tells what components have left behind after their shutdown, where somebody looks for it: see `lookForLeftovers`.

import { leftBy } from "@hemi/common";
import type { Component } from "../component/component.ts";

/** One line in the log of each component that has left something. */
export async function tellLeftovers(components: Iterable<Component>): Promise<void> {
  await Promise.all(
    [...components].map(async (component) => {
      const left = await leftBy(component);
      if (left.length > 0) component.log.warn("was shut down, and has left something open", { left: left.join("; ") });
    }),
  );
}
