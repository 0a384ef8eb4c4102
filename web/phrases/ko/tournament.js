/** Tournaments. */
import { chips } from "../../format.js";

export const tournament = {
  nowhere: () => "이 주소에는 아무것도 없습니다",
  nowhereWhy: () => "주소가 잘못되었거나 오래된 주소일 수 있습니다. 테이블은 로비에 있습니다.",
  title: () => "토너먼트",
  sitAndGo: () => "싯앤고",
  find: () => "토너먼트 찾기",
  findBy: () => "이름이나 게임으로 토너먼트 찾기",
  placesFree: () => "참가 가능",
  pages: () => "토너먼트 목록의 페이지",
  nothingFits: () => "조건에 맞는 토너먼트가 없습니다. 조건을 줄여 보세요.",
  all: () => "모든 토너먼트",
  none: () => "참가할 수 있는 토너먼트가 없습니다.",
  buyIn: (buyIn) => `바이인 ${buyIn}`,
  about: (buyIn, pool) => `바이인 ${buyIn}, 상금 ${pool}`,
  begins: (when) => `${when} 시작`,
  looking: () => "토너먼트를 불러오는 중입니다",
  gone: () => "이 토너먼트는 끝났습니다.",
  phase: {
    registering: () => "참가 접수 중",
    running: () => "진행 중",
    ended: () => "종료",
    cancelled: () => "취소됨",
  },
  register: () => "참가하기",
  unregister: () => "참가 취소",
  myTable: () => "내 테이블로",
  next: () => "다음 토너먼트",
  watch: () => "관전",
  bot: () => "봇",
  standings: () => "순위",
  prizes: () => "상금",
  nobodyYet: () => "아직 참가자가 없습니다.",
  prizesLater: () => "시작할 때 바이인으로 정해집니다.",
  whenFull: () => "인원이 차면",
  isBreak: () => "휴식",
  paused: () => "일시 정지",
  level: (number, blinds, ante) => `${number}: ${blinds}${ante > 0 ? `, 앤티 ${chips(ante)}` : ""}`,
  fact: {
    entries: () => "참가자",
    left: () => "남은 인원",
    pool: () => "총상금",
    stack: () => "시작 칩",
    starts: () => "시작",
    level: () => "레벨",
    next: () => "다음 레벨까지",
  },
  places: (from, to) => (from === to ? `${chips(from)}위` : `${chips(from)}~${chips(to)}위`),
  placed: (place, prize) => (prize > 0 ? `${chips(place)}위, ${chips(prize)}` : `${chips(place)}위`),
  youPlaced: (place, prize) => {
    const where = place === 1 ? "토너먼트에서 우승했습니다!" : `${chips(place)}위로 마쳤습니다.`;
    return prize > 0 ? `${where} 상금: ${chips(prize)}` : where;
  },
  winner: (name, prize) => `우승: ${name}, 상금 ${chips(prize)}`,
  wasCancelled: () => "참가자가 부족하거나 하우스가 취소했습니다.",
  line: ({ number, left, isBreak, paused, players, entries, inStep }) => {
    const level = paused ? "일시 정지" : isBreak ? "휴식" : `레벨 ${chips(number)}`;
    const next = left === "" ? "" : `, 다음까지 ${left}`;
    return `${level}${next} · ${chips(entries)}명 중 ${chips(players)}명${inStep ? " · 핸드 포 핸드" : ""}`;
  },
  refused: {
    unchanged: () => "이미 참가했습니다.",
    late: () => "이미 시작되어 할 수 없습니다.",
    no_seat: () => "참가자가 모두 찼습니다.",
    not_seated: () => "참가하지 않은 토너먼트입니다.",
  },
};
