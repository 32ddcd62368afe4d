// A reload: from the difference between what runs and what is wanted to the next generation, or back to the one before.
//
//   planned ──prepare──> prepared ──commit──> committed     the next generation serves; what was dropped departs
//      │        │ failure     │ discard          │ failure in start
//      │        v             v                  v
//      └─────> undone: all that was created is shut down, and the generation before serves as if nothing had been

import { setImmediate as turn } from "node:timers/promises";
import { finishInSlices, opening, quietly, type Steps } from "@hemi/common";
import { carryOver } from "../component/carry-over.ts";
import { Component, type CreationScope } from "../component/component.ts";
import type { Difference, Pair } from "../component/difference.ts";
import type { Revision } from "../component/part.ts";
import type { ResolvedComponent } from "../component/resolve/resolved.ts";
import { HemiError } from "../errors/hemi-error.ts";
import { compose, dependentsOf, usersOf } from "./composition.ts";
import { Departure } from "./departure.ts";
import { failureError, failureOf, type Failure } from "./failure.ts";
import { Generation, linkReferences, withDescendants } from "./generation.ts";
import { LifeCycle } from "./life-cycle.ts";

export interface ReloadInput {
  readonly current: Generation;
  readonly wanted: ResolvedComponent;
  /** The difference between the configuration of `current` and `wanted`. */
  readonly changes: Difference;
  readonly scope: CreationScope;
}

export class Reload {
  readonly #difference: Difference;
  /** The components of both configurations. */
  readonly #pairs: readonly Pair[];
  readonly #current: Generation;
  readonly #wanted: ResolvedComponent;
  readonly #scope: CreationScope;
  /** Each component of the wanted tree that is there: those that live on, and those that were created. */
  readonly #byResolved = new Map<ResolvedComponent, Component>();
  /** Created ones that do not stand in another created one. */
  readonly #created: Component[] = [];
  readonly #life: LifeCycle;
  /** Dropped ones that do not stand in another dropped one. */
  readonly dropped: readonly Component[];
  /** Those that live on. */
  readonly survivors: readonly Component[];
  /** Those of them that refer to a dropped one before the switch, directly or not. */
  readonly users: readonly Component[];
  /** The new values that `revise` of updated components has prepared. */
  readonly #revisions: Revision[] = [];
  /** How the steps of the switch that were made are undone, the first one first. */
  readonly #undo: (() => void)[] = [];
  readonly #abandoned = Promise.withResolvers<never>();

  /**
   * Works out what is to be done; nothing is changed yet. Throws HEMI_STAGE_RELOAD where a running stage cannot follow.
   */
  constructor({ current, wanted, changes, scope }: ReloadInput) {
    this.#current = current;
    this.#wanted = wanted;
    this.#scope = scope;
    this.#difference = changes;
    this.#pairs = [...changes.kept, ...changes.updated];
    const running = current.byResolved;
    for (const { before, after } of this.#pairs) {
      const component = running.get(before);
      if (component !== undefined) this.#byResolved.set(after, component);
    }
    this.survivors = [...this.#byResolved.values()];
    const dropped = this.#difference.dropped
      .map((before) => running.get(before))
      .filter((found) => found !== undefined);
    const inside = new Set(dropped.flatMap(({ children }) => [...withDescendants(children)]));
    this.dropped = dropped.filter((component) => !inside.has(component));
    const users = usersOf(withDescendants(this.dropped), current);
    this.users = this.survivors.filter((component) => users.has(component));
    refuseFixed(this.#difference);
    this.#life = new LifeCycle(this.#created);
  }

  /** What becomes of each component, by path. */
  paths(): Readonly<Record<"kept" | "updated" | "created" | "dropped", readonly string[]>> {
    const { kept, updated, created, dropped } = this.#difference;
    return {
      kept: kept.map(({ after }) => after.path),
      updated: updated.map(({ after }) => after.path),
      created: created.map(({ path }) => path),
      dropped: dropped.map(({ path }) => path),
    };
  }

  /**
   * Creates and prepares what is new, beside what runs, and has new values of live props worked out. On a failure all
   * of it is undone, and the error names every failure.
   */
  async prepare(): Promise<void> {
    for (const component of withDescendants(this.dropped)) component.isLeaving = true;
    try {
      await Promise.race([this.#abandoned.promise, turn()]);
      // Each of the steps may take a while, and so may the switch: what runs serves in between.
      await Promise.race([this.#abandoned.promise, finishInSlices(this.#create())]);
      await Promise.race([this.#abandoned.promise, turn()]);
      this.#linkNewSlots();
      await Promise.race([this.#prepareAll(), this.#abandoned.promise]);
      await Promise.race([this.#abandoned.promise, turn()]);
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  /**
   * Makes a `prepare` or `commit` that is under way reject with the error, without waiting for those that do not come
   * back.
   */
  abandon(error: Error): void {
    this.#life.cancel();
    this.#life.abandon();
    void quietly(this.#abandoned.promise);
    this.#abandoned.reject(error);
  }

  /** Gives up what was prepared; what runs goes on. */
  async discard(): Promise<void> {
    this.#life.cancel();
    for (const component of withDescendants(this.dropped)) component.isLeaving = false;
    this.#endRevisions();
    const failures = await this.#life.shutdown(Date.now() + shutdownTime);
    for (const { path, error } of failures) {
      this.#scope.log.withPath(path).error("could not be shut down after a reload that failed", { error });
    }
  }

  /**
   * Puts the next generation in place, in one turn of the event loop, then starts what is new. Where that fails, the
   * one before is put back, and the error names every failure.
   */
  async commit(): Promise<Generation> {
    try {
      const failures = this.#switch();
      if (failures.length > 0) throw failureError(failures);
      const next = this.#nextGeneration();
      const unstarted = await Promise.race([this.#abandoned.promise, this.#life.start()]);
      if (unstarted.length > 0) throw failureError(unstarted);
      this.#endRevisions();
      return next;
    } catch (error) {
      await this.#goBack();
      throw error;
    }
  }

  /** Undoes the switch. What the new components have begun since then, they may end. */
  async #goBack(): Promise<void> {
    this.#life.cancel();
    for (const undo of this.#undo.reverse()) {
      try {
        undo();
      } catch (error) {
        this.#scope.log.error("a step of a reload that failed could not be undone", { error });
      }
    }
    this.#endRevisions();
    if (this.#created.length > 0) {
      const deadline = Date.now() + shutdownTime;
      const users = usersOf(withDescendants(this.#created), this.#nextGeneration());
      await new Departure({ dropped: this.#created, survivors: this.survivors, users, deadline }).done;
    }
    for (const component of withDescendants(this.dropped)) component.isLeaving = false;
  }

  *#create(): Steps<void> {
    const isCreated = new Set(this.#difference.created);
    const owners: [owner: Component | undefined, resolved: ResolvedComponent][] = [[undefined, this.#wanted]];
    for (const { after } of this.#pairs) owners.push([this.#byResolved.get(after), after]);
    const wanted = owners.flatMap(([owner, { children }]) =>
      children.filter((child) => isCreated.has(child)).map((resolved) => ({ owner, resolved })),
    );
    wanted.sort((a, b) => rankOf(a.resolved) - rankOf(b.resolved));
    const scope: CreationScope = {
      ...this.#scope,
      created: (component) => {
        this.#byResolved.set(component.resolved, component);
        this.#scope.created(component);
      },
    };
    for (const { owner, resolved } of wanted) {
      if (this.#life.isCancelled) return;
      this.#created.push(new Component(resolved, owner, scope));
      yield;
    }
  }

  /** Those of what is new, and of new values: nothing that runs uses them yet. */
  #linkNewSlots(): void {
    for (const pair of this.#difference.kept) carryOver(pair, nothing);
    for (const pair of this.#difference.updated) carryOver(pair, pair.changed);
    for (const component of withDescendants(this.#created)) linkReferences(component.resolved, this.#byResolved);
    for (const { after, changed } of this.#difference.updated) {
      const references = after.references.filter(({ prop }) => changed.has(prop));
      linkReferences({ ...after, references }, this.#byResolved);
    }
  }

  async #prepareAll(): Promise<void> {
    const failures = await this.#life.prepare();
    if (failures.length > 0) throw failureError(failures);
    await this.#revise();
  }

  async #revise(): Promise<void> {
    const failures: Failure[] = [];
    await Promise.all(
      this.#difference.updated.map(async ({ after, changed }) => {
        const component = this.#byResolved.get(after);
        try {
          const revised = await (component && opening(component, () => component.part.revise?.(after.props, changed)));
          if (revised === undefined) return;
          const revision = typeof revised === "function" ? { swap: revised, done() {} } : revised;
          // One that took too long belongs to no reload any more.
          if (this.#life.isCancelled) revision.done();
          else this.#revisions.push(revision);
        } catch (error) {
          failures.push(failureOf(after, "changed", error));
        }
      }),
    );
    if (failures.length > 0) throw failureError(failures);
  }

  #endRevisions(): void {
    for (const revision of this.#revisions.splice(0)) revision.done();
  }

  /** All of it without a wait. Each step leaves behind how it is undone. */
  #switch(): readonly Failure[] {
    const { updated, recomposed, relinked } = this.#difference;
    const changed = new Set<Component>();
    const step = (apply: () => void, undo: () => void): void => {
      this.#undo.push(undo);
      apply();
    };
    // Places and children.
    const places = this.#placesOfSurvivors();
    step(
      () => {
        for (const { component, next } of places) component.adopt(next.resolved, next.children);
      },
      () => {
        for (const { component, before } of places) component.adopt(before.resolved, before.children);
      },
    );
    // References.
    for (const { slot, target } of relinked) {
      const component = this.#byResolved.get(target);
      const before = slot.holder;
      if (component === undefined || before === undefined) continue;
      step(
        () => slot.link(component),
        () => slot.link(before),
      );
    }
    // Values.
    for (const revision of this.#revisions) {
      const swap = (): void => revision.swap();
      step(swap, swap);
    }
    const failures: Failure[] = [];
    for (const { before, after, changed: names } of updated) {
      const component = this.#byResolved.get(after);
      if (component === undefined) continue;
      changed.add(component);
      step(
        () => {
          try {
            component.update(after.props, names);
          } catch (error) {
            failures.push({ path: after.path, done: "changed", error });
          }
        },
        () => component.update(before.props, names),
      );
    }
    if (failures.length > 0) return failures;
    // Composition: of what is new, of those whose own children or references changed, and of all that depend on one of
    // these.
    const next = this.#nextGeneration();
    const composing = new Set(withDescendants(this.#created));
    const altered = [...recomposed.map(({ after }) => after), ...this.#holdersOfNewReferences()];
    for (const after of altered) {
      const component = this.#byResolved.get(after);
      if (component !== undefined) composing.add(component);
    }
    for (const dependent of dependentsOf([...composing, ...changed], next)) composing.add(dependent);
    const created = new Set(withDescendants(this.#created));
    this.#undo.unshift(() => {
      const survivors = new Set([...composing].filter((component) => !created.has(component)));
      const failures = compose(survivors, this.#current);
      for (const { path, error } of failures) this.#scope.log.withPath(path).error("could not be composed", { error });
    });
    return compose(composing, next);
  }

  #holdersOfNewReferences(): readonly ResolvedComponent[] {
    const relinked = new Set(this.#difference.relinked.map(({ slot }) => slot));
    const holders: ResolvedComponent[] = [];
    for (const { after } of this.#difference.kept) {
      if (after.references.some(({ slot }) => relinked.has(slot))) holders.push(after);
    }
    for (const { after, changed } of this.#difference.updated) {
      if (after.references.some(({ slot, prop }) => relinked.has(slot) || changed.has(prop))) holders.push(after);
    }
    return holders;
  }

  /** Their configurations and children, in this generation and in the next one. */
  #placesOfSurvivors(): readonly Moved[] {
    const places: Moved[] = [];
    for (const { after } of this.#pairs) {
      const component = this.#byResolved.get(after);
      if (component === undefined) continue;
      const { resolved, children } = component;
      places.push({
        component,
        before: { resolved, children },
        next: { resolved: after, children: this.#childrenOf(after) },
      });
    }
    return places;
  }

  /** To be called after the switch only. */
  #nextGeneration(): Generation {
    const [resolved, byResolved] = [this.#wanted, this.#byResolved];
    return new Generation({ resolved, roots: this.#childrenOf(resolved), byResolved });
  }

  #childrenOf({ children }: ResolvedComponent): readonly Component[] {
    if (children.length === 0) return noChildren;
    return children.map((child) => this.#byResolved.get(child)).filter((component) => component !== undefined);
  }
}

/** A component that lives on, with its place in both generations. */
interface Moved {
  readonly component: Component;
  readonly before: Pick<Component, "resolved" | "children">;
  readonly next: Pick<Component, "resolved" | "children">;
}

/** What every stage has once is used by all others, without a reference that could be relinked. */
function refuseFixed({ created, dropped }: Difference): void {
  const before = new Set(dropped.map(({ definition }) => definition));
  for (const { definition, path } of created) {
    if (definition?.kind.always !== true || !before.has(definition)) continue;
    const message = `${path} cannot be changed in this way while the stage runs: start the stage anew`;
    throw new HemiError("HEMI_STAGE_RELOAD", message);
  }
}

function rankOf({ definition }: ResolvedComponent): number {
  return definition?.kind.rank ?? 0;
}

const nothing: ReadonlySet<string> = new Set();
const noChildren: readonly Component[] = [];

/** How long what was created for a reload that failed has to be shut down, in milliseconds. */
const shutdownTime = 5000;
