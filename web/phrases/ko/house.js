/** What the house says by codes (docs/protocol.md). */
import { chips, moment } from "../../format.js";
import { eul } from "./particles.js";

const seconds = (ms) => Math.max(1, Math.ceil((ms ?? 0) / 1000));
const strangers = () => "페이지와 서버가 서로 맞지 않습니다. 페이지를 새로고침해 주세요.";

export const house = {
  error: {
    no_such_room: () => "그런 테이블은 없습니다.",
    too_many_rooms: () => "열어 둔 테이블이 너무 많습니다. 하나를 먼저 닫아 주세요.",
    rail_full: () => "이 테이블은 관전 자리가 모두 찼습니다.",
    bad_token: () => "입장권을 갱신하지 못했습니다.",
    unavailable: () => "지금은 테이블을 불러올 수 없습니다. 준비되는 대로 표시됩니다.",
    already_greeted: strangers,
    bad_message: strangers,
  },
  notice: {
    taken_over: () => "이제 이 자리는 다른 창이나 기기에서 플레이합니다.",
    history_lost: () => "이 테이블의 마지막 기록 일부가 사라졌습니다. 여기서부터 이어집니다.",
    delayed: () => "서버의 소식이 늦어지고 있습니다. 사라지는 것은 없고, 시간도 흐르지 않습니다.",
    view_rounded: () => "로비가 붐벼서 지금은 간단한 목록을 보여 드립니다.",
  },
  close: {
    goodbye: () => "서버가 연결을 닫았습니다.",
    strangers,
    elsewhere: () => "다른 창에서 이어서 플레이하고 있습니다.",
  },
  reception: {
    bad_name: () => "쓸 수 없는 이름입니다. 20자까지이며, 보이지 않는 문자, 지나친 결합 부호, 괄호 안의 ‘bot’은 쓸 수 없습니다.",
    bad_token: () => "입장권이 더 이상 유효하지 않습니다.",
    banned: ({ reason, until_ms }) => `${until_ms ? `${moment(until_ms)}까지` : "별도의 안내가 있을 때까지"} 이 서버를 이용할 수 없습니다. 사유: ${reason}`,
    session_ended: ({ why }) => `${why === "password" ? "비밀번호가 변경되었습니다." : why === "reuse" ? "다른 사람이 내 입장권의 사본을 사용했습니다." : "로그아웃되었습니다."} 이 기기에서 다시 로그인해 주세요.`,
    too_fast: ({ retry_after_ms }) => `같은 주소에서 요청이 너무 많습니다. ${chips(seconds(retry_after_ms))}초 뒤에 다시 시도해 주세요.`,
  },
  gate: {
    wrong_host: ({ name }) => `이 서버는 ${eul(name)} 자기 이름으로 알지 못합니다. 맞는 이름이라면 운영자가 --host ${eul(name)} 추가해야 합니다.`,
    wrong_origin: ({ origin }) => `서버가 ${origin}에서 온 이 페이지를 낯선 페이지로 봅니다. 운영자가 --origin ${eul(origin)} 추가하거나, 중간의 프록시가 Host를 그대로 넘기게 해야 합니다.`,
  },
  receptionFails: (status) => `접수처가 오류 ${chips(status)}번으로 답했습니다. 잠시 뒤에 다시 시도해 주세요.`,
  receptionSilent: () => "접수처가 응답하지 않습니다. 잠시 뒤에 다시 시도해 주세요.",
};
