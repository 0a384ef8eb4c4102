/** Work that somebody wants done: in which room it waits, how it stands, and whether somebody does such work. */
import { spread } from "./spread.js";

const ROOMS = 4;
/** The longest text of a job, bytes. */
export const TEXT_BYTES_MAX = 2_000;
/** The house is not asked more often than this who works there. */
const LOOK_EVERY_MS = 10_000;

const utf8 = new TextEncoder();

/** @param {string} user @returns {string} the room in which this user's jobs wait */
export function jobsOf(user) {
  return `jobs-${spread(user, ROOMS)}`;
}

/** Whether a text is one that somebody can read, and not too long for the house. @returns {"empty"|"long"|null} what is wrong with it */
export function faultOf(text) {
  if (!text.trim()) return "empty";
  return utf8.encode(text).length > TEXT_BYTES_MAX ? "long" : null;
}

/** By which a job is known from others. @param {{job: [number, number]}} job */
export function keyOf({ job }) {
  return job.join("-");
}

/**
 * How a job stands, for people: whoever has seen an answer that grows is told when it is gone.
 * @returns {"waits"|"taken"|"anew"|"done"|"failed"}
 */
export function stepOf({ stage, attempt, answer }) {
  if (stage === "done" || stage === "failed") return stage;
  const before = stage === "waiting" ? attempt : attempt - 1;
  if (before > 0 && !answer) return "anew";
  return stage === "waiting" ? "waits" : "taken";
}

/** Whether somebody may still do it. */
export function isOpen({ stage }) {
  return stage === "waiting" || stage === "taken";
}

/** The jobs that were open before and have ended since. @param {object[]} before @param {object[]} jobs */
export function endedSince(before, jobs) {
  const open = new Set(before.filter(isOpen).map(keyOf));
  return jobs.filter((job) => !isOpen(job) && open.has(keyOf(job)));
}

/** Whether somebody in the house does this kind of work. */
export class Workers {
  #work;
  #ask;
  #now;
  #askedAt = -Infinity;
  /** By the last answer. */
  areThere = false;

  /**
   * @param {string} work which kind
   * @param {() => Promise<{works: {work: string, agents: number}[]}|null>} ask how it stands; null: nobody answers
   * @param {() => number} now milliseconds
   */
  constructor(work, ask, now) {
    this.#work = work;
    this.#ask = ask;
    this.#now = now;
  }

  /** Asks, unless that was done a moment ago. What nobody answers changes nothing. */
  async look() {
    if (this.#now() - this.#askedAt < LOOK_EVERY_MS) return;
    this.#askedAt = this.#now();
    const line = await this.#ask();
    if (line) this.areThere = line.works.some(({ work, agents }) => work === this.#work && agents > 0);
  }
}
