/** 자리 기다리기. */
import { chips } from "../../format.js";

export const waiting = {
  label: () => "대기자 명단",
  join: () => "대기자 명단에 올리기",
  stop: () => "대기 그만하기",
  sit: () => "앉기",
  pass: () => "이번에는 앉지 않기",
  full: (others) => `${chips(others)}명이 대기 중입니다`,
  place: (place, of) => (of > 1 ? `대기 ${chips(of)}명 중 ${chips(place)}번째입니다` : `대기 ${chips(place)}번째입니다`),
  called: (seat) => `${chips(seat)}번 자리를 잡아 두었습니다`,
  left: (seconds) => `${chips(seconds)}초`,
  inLine: (place) => `대기 ${chips(place)}번째`,
  turn: {
    in: (seconds) => `내 자리 ${chips(seconds)}초`,
    at: (name) => `${name}, 자리가 났습니다`,
    title: (name) => `자리가 났습니다 · ${name}`,
    call: (name) => `${name}에 자리가 났습니다.`,
  },
};
