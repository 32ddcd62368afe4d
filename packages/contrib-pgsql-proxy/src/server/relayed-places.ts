// The places of clients that prove themselves to servers of their own: for each user and database, as many as there may
// be connections. Whoever has proved nothing yet has to give way, so that strangers keep nobody out.

/** A login that is under way. */
export interface PlaceHolder {
  /** The client's address. */
  readonly source: string;
  /** Ends it: `leave` follows at once. */
  giveWay(): void;
}

interface Places {
  /** The number of clients that have proved themselves. */
  proven: number;
  /** In the order of arrival. */
  readonly underWay: Set<PlaceHolder>;
}

export class RelayedPlaces {
  readonly #places = new Map<string, Places>();

  /** Takes a place. Returns false if all of them are of clients that have proved themselves. */
  enter(key: string, holder: PlaceHolder, max: number): boolean {
    const places = this.#places.get(key) ?? { proven: 0, underWay: new Set() };
    if (places.proven >= max) return false;
    if (places.proven + places.underWay.size >= max) mostSuspicious(places.underWay)?.giveWay();
    places.underWay.add(holder);
    this.#places.set(key, places);
    return true;
  }

  /** It has proved itself, and keeps its place until it leaves. */
  proved(key: string, holder: PlaceHolder): void {
    const places = this.#places.get(key);
    if (places?.underWay.delete(holder) === true) places.proven++;
  }

  leave(key: string, holder: PlaceHolder): void {
    const places = this.#places.get(key);
    if (places === undefined) return;
    if (!places.underWay.delete(holder)) places.proven--;
    if (places.proven + places.underWay.size === 0) this.#places.delete(key);
  }
}

/** The first one of the source that has the most logins under way. */
function mostSuspicious(underWay: Iterable<PlaceHolder>): PlaceHolder | undefined {
  const bySource = Map.groupBy(underWay, ({ source }) => source);
  let most: readonly PlaceHolder[] = [];
  for (const holders of bySource.values()) if (holders.length > most.length) most = holders;
  return most[0];
}
