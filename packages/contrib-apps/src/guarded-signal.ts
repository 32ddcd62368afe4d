// An AbortSignal whose listeners are an app's. Node.js throws what they throw once more, from its event loop, which would end the process.

type AddListener = AbortSignal["addEventListener"];
type Listener = NonNullable<Parameters<AddListener>[1]>;

/** The signal itself. From here on `fail` is called for what its listeners throw, and for what asynchronous ones reject with. Twice is harmless. */
export function guardSignal(signal: AbortSignal, fail: (error: unknown) => void): AbortSignal {
  if (guarded.has(signal)) return signal;
  guarded.add(signal);
  const guards = new WeakMap<Listener, (event: Event) => void>();
  const addEventListener = signal.addEventListener.bind(signal);
  const removeEventListener = signal.removeEventListener.bind(signal);

  function guardOf(listener: Listener): (event: Event) => void {
    let guard = guards.get(listener);
    if (guard === undefined) guards.set(listener, (guard = (event) => void call(listener, event)));
    return guard;
  }

  async function call(listener: Listener, event: Event): Promise<void> {
    try {
      const outcome: unknown =
        typeof listener === "function" ? Reflect.apply(listener, signal, [event]) : listener.handleEvent(event);
      await outcome;
    } catch (error) {
      fail(error);
    }
  }

  // `onabort` goes by way of these, too.
  Object.defineProperties(signal, {
    addEventListener: replacing((type, listener, options) => {
      if (listener !== null) addEventListener(type, guardOf(listener), options);
    }),
    removeEventListener: replacing((type, listener, options) => {
      const guard = listener === null ? undefined : guards.get(listener);
      if (guard !== undefined) removeEventListener(type, guard, options);
    }),
  });
  return signal;
}

const guarded = new WeakSet<AbortSignal>();

type Replacement = (type: string, listener: Listener | null, options?: Parameters<AddListener>[2]) => void;

function replacing(value: Replacement): PropertyDescriptor {
  return { configurable: true, writable: true, value };
}
