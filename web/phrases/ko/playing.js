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
  railFull: () => "관전 자리가 모두 찼습니다",
  railFullSit: () => "잠시 뒤에 다시 오거나, 테이블에 앉으세요. 앉은 사람에게는 테이블이 보입니다.",
  railFullLater: () => "잠시 뒤에 다시 와 주세요.",
  railFullNo: () => "로비로",
  railFullSeat: () => "앉기",
  railFullAgain: () => "다시 시도",
};
