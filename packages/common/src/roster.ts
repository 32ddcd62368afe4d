// A set for members that come and go all the time, such as open requests and connections.
//
// A `Set` moves to a new table every few additions, and V8 links the old table to the new one. As soon as one old table
// lives in the old generation of the heap, the young collections keep all tables after it, with all the members that
// have left: each of them is copied, promoted, and kept until the next full collection. Here members leave no trace:
// they stand in one array, and the last one takes the place of one that leaves.

/** A set of objects, in no order. Adding, deleting and looking up are O(1). */
export class Roster<Member extends object> implements Iterable<Member> {
  readonly #members: Member[] = [];
  /** By member: its place in the array. */
  readonly #places = new WeakMap<Member, number>();

  /** How many there are. */
  get size(): number {
    return this.#members.length;
  }

  has(member: Member): boolean {
    return this.#places.has(member);
  }

  /** Adding a member twice is adding it once. */
  add(member: Member): void {
    if (this.#places.has(member)) return;
    this.#places.set(member, this.#members.length);
    this.#members.push(member);
  }

  /** Returns whether it was a member. */
  delete(member: Member): boolean {
    const place = this.#places.get(member);
    if (place === undefined) return false;
    this.#places.delete(member);
    const last = this.#members.pop();
    if (last !== undefined && last !== member) {
      this.#members[place] = last;
      this.#places.set(last, place);
    }
    return true;
  }

  /** Goes through those that are members now, whoever comes or leaves meanwhile. */
  [Symbol.iterator](): ArrayIterator<Member> {
    return this.#members.slice().values();
  }
}
