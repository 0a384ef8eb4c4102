/**
 * What is said at a table: in the room beside it, where whoever watches may talk. In a house that has no such room, or as long as it has not
 * come, it is said to the table itself, as houses of earlier releases have it. At a table that is shown late to all who have no seat that room is shown
 * late to everybody, so players talk at the table.
 */
import { Room } from "./room.js";

/** The longest name of a room, and so many lines a house tells of, in so many bytes of names and texts. */
const NAME_MAX = 40;
const LINES_MAX = 100;
const BYTES_MAX = 16 * 1024;

const KIND = "talk";
const utf8 = new TextEncoder();

export class TalkRoom {
  #table;
  #connection;
  #heard;
  #isFollowed = false;
  #isLive;

  /**
   * @param {string} table its room
   * @param {Connection} connection
   * @param {object} heard `said(line)` for each line; `all(lines)` when they are not what was said since
   * @param {() => boolean} isLive whether this page is shown the table itself at once
   */
  constructor(table, connection, heard, isLive) {
    this.#isLive = isLive;
    this.#table = table;
    this.#connection = connection;
    this.#heard = heard;
    const id = `${table}.${KIND}`;
    this.room = id.length > NAME_MAX ? null : new Room(id, fold, { event: (event) => this.#event(event), change: (jumped) => this.#change(jumped) }, KIND);
  }

  /** Where a line goes: `[room, command]`. */
  saying(text) {
    const isHere = this.#isFollowed && this.room.kind === KIND && this.room.state !== null;
    const isLate = isHere && this.room.behindMs > 0 && this.#isLive();
    return isHere && !isLate ? [this.room.id, { a: "say", text }] : [this.#table, { a: "chat", text }];
  }

  follow() {
    if (this.room) this.#connection.follow(this.room);
    this.#isFollowed = this.room !== null;
  }

  /** There is no such room, or it has closed, or this page wants no more of it. */
  leave() {
    if (this.#isFollowed) this.#connection.unfollow(this.room);
    this.#isFollowed = false;
  }

  #event(event) {
    if (event.e === "said") this.#heard.said(event);
  }

  #change(jumped) {
    if (jumped && this.room.kind === KIND) this.#heard.all(this.room.state.lines);
  }
}

/** Folds an event into what was said: the house forgets the oldest lines of too many in the same way. */
export function fold(state, event) {
  if (event.e !== "said") return false;
  const { e, ...line } = event;
  state.lines.push(line);
  const bytesOf = ({ name, text }) => utf8.encode(name).length + utf8.encode(text).length;
  let bytes = state.lines.reduce((sum, said) => sum + bytesOf(said), 0);
  while (state.lines.length > LINES_MAX || bytes > BYTES_MAX) bytes -= bytesOf(state.lines.shift());
  return true;
}
