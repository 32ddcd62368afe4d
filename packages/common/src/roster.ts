// A set for members that come and go all the time, such as open requests and connections.
//
// A `Set` moves to a new table every few additions, and V8 links the old table to the new one. As soon as one old table
// lives in the old generation of the heap, the young collections keep all tables after it, with all the members that
// have left: each of them is copied, promoted, and kept until the next full collection. Here members leave no trace:
// they stand in one array, and the last one takes the place of one that leaves.

/** Knows its place in a `SeatedRoster`: the roster alone changes it. */
export interface Seated {
  /** -1 or `undefined`: it is no member. Whoever declares it keeps the shape of the object. */
  place?: number;
}

/** The set of objects that know their place in it: each is in one such set at most. No order; all is O(1). */
export class SeatedRoster<Member extends Seated> implements Iterable<Member> {
  readonly #members: Member[] = [];

  /** How many there are. */
  get size(): number {
    return this.#members.length;
  }

  /** Adding a member twice is adding it once. */
  add(member: Member): void {
    if (isSeated(member)) return;
    member.place = this.#members.length;
    this.#members.push(member);
  }

  /** Returns whether it was a member. */
  delete(member: Member): boolean {
    if (!isSeated(member)) return false;
    const { place } = member;
    member.place = -1;
    const last = this.#members.pop();
    if (last !== undefined && last !== member) {
      this.#members[place] = last;
      last.place = place;
    }
    return true;
  }

  /** Goes through those that are members now, whoever comes or leaves meanwhile. */
  [Symbol.iterator](): ArrayIterator<Member> {
    return this.#members.slice().values();
  }
}

function isSeated<Member extends Seated>(member: Member): member is Member & { place: number } {
  return member.place !== undefined && member.place >= 0;
}

/**
 * A set of any objects, in no order. Adding, deleting and looking up are O(1), but cost a microsecond in all: members
 * that come and go with each connection rather know their place.
 */
export class Roster<Member extends object> implements Iterable<Member> {
  readonly #seats = new SeatedRoster<Seat<Member>>();
  readonly #seatOf = new WeakMap<Member, Seat<Member>>();

  /** How many there are. */
  get size(): number {
    return this.#seats.size;
  }

  has(member: Member): boolean {
    return this.#seatOf.has(member);
  }

  /** Adding a member twice is adding it once. */
  add(member: Member): void {
    if (this.#seatOf.has(member)) return;
    const seat = { member, place: -1 };
    this.#seatOf.set(member, seat);
    this.#seats.add(seat);
  }

  /** Returns whether it was a member. */
  delete(member: Member): boolean {
    const seat = this.#seatOf.get(member);
    if (seat === undefined) return false;
    this.#seatOf.delete(member);
    return this.#seats.delete(seat);
  }

  /** Goes through those that are members now, whoever comes or leaves meanwhile. */
  *[Symbol.iterator](): Generator<Member, void> {
    for (const { member } of this.#seats) yield member;
  }
}

interface Seat<Member> extends Seated {
  readonly member: Member;
}
