// The server's refusals in the reader's language. The server tells what was wrong in English; that stands beneath.

import { language, node } from "./common.js";

/// By the `code` of an error object, or, where it has none that is known, by its `type`.
const texts = {
  unreachable: ["The server cannot be reached.", "无法连接服务器。"],
  status: ["The server's answer could not be understood.", "服务器的回应无法识别。"],
  invalid_api_key: ["The API key is missing or wrong: enter it in the settings.", "API 密钥缺失或有误：请在设置中填写。"],
  model_not_found: ["The server does not have this model any more: choose another.", "服务器上已没有这个模型，请另选一个。"],
  context_length_exceeded: ["The conversation is too long for the model: begin a new one, or edit an earlier message.",
    "对话超出了模型的上下文长度：请新建对话，或编辑较早的消息。"],
  body_too_large: ["The message is larger than the server takes.", "消息超过了服务器允许的大小。"],
  queue_full: ["Too many requests are waiting: try again in a moment.", "排队的请求太多，请稍后再试。"],
  request_timeout: ["The answer took longer than the server allows.", "回答超过了服务器允许的时间。"],
  stopping: ["The server is stopping.", "服务器正在关闭。"],
  origin_not_allowed: ["The server does not answer pages of this address.", "服务器不接受来自这个网址的页面的请求。"],
  host_not_allowed: ["The server does not answer under this name.", "服务器不接受以这个名称访问。"],
  malformed_request: ["The server could not read the request.", "服务器无法读取这个请求。"],
  not_found: ["The server has nothing at this address.", "服务器上没有这个地址。"],
  no_run: ["The training run has not begun yet.", "训练还没有开始。"],
  unsupported_path: ["The server has nothing at this address.", "服务器上没有这个地址。"],
  method_not_allowed: ["The server does not take this request.", "服务器不接受这个请求。"],
  invalid_request_error: ["The server does not take this request.", "服务器不接受这个请求。"],
  authentication_error: ["The server does not let you in.", "服务器拒绝访问。"],
  permission_error: ["The server does not let you in.", "服务器拒绝访问。"],
  rate_limit_error: ["Too many requests: try again in a moment.", "请求太多，请稍后再试。"],
  timeout_error: ["The answer took too long.", "回答超时。"],
  server_error: ["The server failed.", "服务器出错。"],
};

/// One line for a problem {code, type, message}.
export function problemText({ code, type, message }) {
  const known = texts[code] ?? texts[type];
  return known ? known[language() === "zh" ? 1 : 0] : message;
}

/// The line, and behind it, to be opened, what the server said.
export function problemNode(problem) {
  const text = problemText(problem);
  if (!problem.message || problem.message === text) return node("span", text, "bad");
  const details = node("details", undefined, "bad");
  const detail = node("p", problem.message);
  detail.lang = "en";
  details.append(node("summary", text), detail);
  return details;
}
