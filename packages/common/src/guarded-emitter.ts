// Emitters whose listeners are others' code. Node.js calls most of them from its event loop, where what they throw
// would end the process.

import { captureRejectionSymbol, EventEmitter } from "node:events";

const ownerKey = Symbol("owner");

/**
 * Hears what listeners and callbacks throw: it says so in the log, and closes what can no longer be trusted. Must not
 * throw.
 */
export interface FailureOwner {
  fail(error: unknown): void;
}

interface GuardedEmitter extends EventEmitter {
  [ownerKey]?: FailureOwner;
}

/**
 * From here on the owner is told what listeners throw, and what the promises of asynchronous ones reject with; an
 * "error" that nobody listens for, too. All of it stands on the object itself: Express gives its requests and responses
 * other prototypes.
 */
export function guardListeners(emitter: GuardedEmitter, owner: FailureOwner): void {
  // What the constructor does with this option: those of the classes in between do not hand it on.
  Reflect.apply(EventEmitter, emitter, [capturing]);
  emitter[ownerKey] = owner;
  emitter[captureRejectionSymbol] = tellOwner;
  emitter.emit = emit;
}

const capturing = { captureRejections: true };

function emit(this: GuardedEmitter, ...args: [name: string | symbol, ...args: unknown[]]): boolean {
  try {
    return EventEmitter.prototype.emit.apply(this, args);
  } catch (error) {
    tellOwner.call(this, error);
    return true;
  }
}

function tellOwner(this: GuardedEmitter, error: unknown): void {
  this[ownerKey]?.fail(error);
}
