/** 바로 시작하기. */
import { chips } from "../../format.js";

export const playing = {
  at: (table) => `${table}에서 바로 시작`,
  sit: () => "앉기",
  nothing: () => "조건에 맞는 테이블이 없습니다. 다른 게임이나 블라인드를 골라 보세요.",
  queue: () => "자리 찾기",
  seeking: () => "자리를 찾고 있습니다",
  place: (place) => (place > 1 ? `자리를 찾고 있습니다. 대기 ${chips(place)}번째` : "함께할 사람을 찾고 있습니다"),
  stopSeeking: () => "그만 찾기",
  openOne: () => "조건에 맞는 테이블이 없습니다. 테이블을 열면 바로 시작을 누른 사람들이 찾아옵니다.",
};
