// The words, Vietnamese and English, one pair each: the same sentences as the command line says.
"use strict";

const KINDS = {
  Approved: ["Duyệt bản tin", "Bulletin approved"], Scheduled: ["Lệnh xếp lịch phát", "Broadcast scheduled"],
  EmergencyOrdered: ["Lệnh phát khẩn cấp", "Emergency ordered"], Cancelled: ["Lệnh thu hồi", "Taken back"],
  EmergencyProposed: ["Đề nghị phát khẩn cấp", "Emergency proposed"],
  QuietHoursSet: ["Quy định giờ yên tĩnh", "Quiet hours set"], Drafted: ["Bản thảo", "Drafted"],
  Submitted: ["Gửi duyệt", "Submitted"], Returned: ["Trả lại", "Returned"],
  StationRegistered: ["Đăng ký trạm", "Station registered"], Acknowledged: ["Trạm báo kết quả phát", "Station's report of a slot"],
  DaySummary: ["Tổng kết ngày của trạm", "Station's day"], ClockStepped: ["Đồng hồ trạm bị chỉnh", "Station's clock stepped"],
  Refused: ["Trạm từ chối lệnh", "Station refused an order"], WithdrawalSeen: ["Trạm đã thấy lệnh thu hồi", "Withdrawal seen"],
  OfferAnswered: ["Xã trả lời đề nghị", "Offer answered"], ProgrammeArranged: ["Xã xếp thứ tự phát", "Programme arranged"],
  DirectiveIssued: ["Ban hành văn bản", "Document issued"], DirectiveRead: ["Đã đọc văn bản", "Document read"],
  Attested: ["Người trực xác nhận kết quả phát", "Broadcast attested"], FeedbackReceived: ["Ý kiến của người dân", "Feedback"],
  FeedbackAnswered: ["Trả lời ý kiến", "Feedback answered"], KeyOffered: ["Xin quyền cho khóa", "Key asks for rights"],
  BoardShown: ["Bảng tin đã hiện", "Shown on a board"], ClustersListed: ["Danh sách cụm loa", "Clusters listed"],
  Granted: ["Cấp quyền", "Right granted"], Rotated: ["Đổi khóa", "Key rotated"], Revoked: ["Hủy khóa", "Key revoked"],
  RootsSet: ["Bộ khóa gốc mới", "New root set"], UnitMerged: ["Sáp nhập đơn vị", "Unit merged"], LogOpened: ["Mở sổ", "Log opened"],
  Ingested: ["Máy chủ tiếp nhận", "Taken in by a hub"], ForkFound: ["Phát hiện hai lịch sử", "Two histories found"],
};
// A step by a person from a time to the same one moved nothing.
const CONFIRMED = ["Người tại trạm xác nhận giờ này là đúng", "A person at the box confirmed this time"];
const titleOf = (fact) => (fact.kindName === "ClockStepped" && fact.source === "person" && fact.old_s === fact.new_s
  ? CONFIRMED : KINDS[fact.kindName]);
const RIGHT_WORDS = {
  DRAFT: ["soạn tin", "draft"], APPROVE: ["duyệt tin", "approve"], SCHEDULE: ["lên lịch phát", "schedule"],
  EMERGENCY: ["phát lệnh khẩn cấp", "order emergencies"], CANCEL: ["thu hồi", "cancel"],
  ACK: ["báo kết quả phát", "acknowledge"], RECEIPT: ["cấp biên nhận", "issue receipts"],
  INGEST: ["ghi sổ tiếp nhận", "journal arrivals"], GRANT: ["cấp quyền", "grant"],
  ADMIN: ["quản trị trạm", "administer stations"], PROGRAMME: ["xếp chương trình của xã", "arrange the commune's programme"],
  ATTEST: ["xác nhận kết quả phát", "attest broadcasts"], ISSUE: ["ban hành văn bản", "issue documents"],
  CORRESPOND: ["nhận văn bản, trả lời ý kiến", "read documents, answer feedback"],
};
const OUTCOMES = [["chưa rõ", "unknown"], ["đã phát", "played"], ["phát trễ", "played late"],
  ["phát một phần", "partly played"], ["bị ngắt", "interrupted"], ["không được phép phát", "suppressed"],
  ["bỏ lỡ", "missed"], ["xã không nhận", "declined"], ["đã thu hồi", "withdrawn"], ["loa im tiếng", "silent"]];
const LEVELS = [["mới lên lịch", "planned"], ["đã đến trạm", "delivered"], ["thiết bị đã nhận phát", "device accepted"],
  ["có tín hiệu âm thanh", "signal present"], ["đã nghe thấy", "heard"], ["người trực xác nhận", "operator attested"]];
const CLUSTERS = [["chưa rõ", "unknown"], ["không trả lời", "no answer"], ["có điện nhưng im tiếng", "powered but silent"],
  ["đã phát", "playing"], ["phát nội dung khác", "playing something else"]];
const CLASSES = [["lấp chỗ trống", "filler"], ["tiếp sóng", "relay"], ["thường", "normal"], ["ưu tiên", "priority"],
  ["khẩn cấp", "emergency"]];
// In the order in which they are shown; what is not named here follows.
const FIELDS = {
  outcome: ["Kết quả", "Outcome"], evidence: ["Mức chứng cứ", "Evidence"],
  title: ["Tiêu đề", "Title"], text: ["Nội dung", "Text"], category: ["Lĩnh vực", "Category"], klass: ["Loại", "Class"],
  territory: ["Địa bàn", "Territory"], unit: ["Đơn vị", "Unit"], name: ["Tên", "Name"],
  valid_from_day: ["Hiệu lực từ", "Valid from"], valid_until_day: ["Hiệu lực đến", "Valid until"],
  first_day: ["Từ ngày", "First day"], day: ["Ngày phát", "Day"], minute: ["Lúc", "At"], length_s: ["Độ dài", "Length"],
  series: ["Loạt phát", "Series"], version: ["Phiên bản", "Version"], played_ds: ["Thời lượng đã phát", "Played for"],
  jitter_cs: ["Lệch giờ", "Off by"], detail: ["Lý do số", "Reason number"], volume: ["Âm lượng (%)", "Volume (%)"], clusters: ["Cụm loa", "Receiver clusters"], reason: ["Lý do", "Reason"],
  not_before: ["Từ", "From"], not_after: ["Đến", "Until"], expires_at: ["Hết hạn", "Expires"], drill: ["Diễn tập", "Drill"],
  level: ["Cấp độ", "Level"], label: ["Tên người nhận", "Given to"], classes: ["Quyền", "Rights"],
  manifest: ["Mã băm nội dung", "Content hash"], content: ["Mã băm nội dung (nửa đầu)", "Content hash (first half)"],
  bulletin: ["Mã bản tin", "Bulletin id"], head_hash: ["Mã băm đoạn sổ", "Segment hash"],
};
const QUESTIONS = {
  meaning: ["Nội dung: sự kiện sai khuôn dạng hoặc của phiên bản mới hơn, không có hiệu lực.", "A meaning: the event is malformed or of a newer version, and has no effect."],
  effect: ["Hiệu lực: còn tùy các lệnh khác mà tệp không mang theo.", "That it takes effect: that hangs on statements the file does not carry."],
  time: ["Thời điểm: chỉ có đồng hồ của người ký, không bên thứ ba nào xác nhận.", "When: only the signer's own clock says so, no third party does."],
  "self-witness": ["Thời điểm một cách độc lập: máy chủ xác nhận cũng chính là người ký.", "When, independently: the hub that says so is the signer itself."],
  late: ["Ký khi còn quyền: lúc máy chủ nhận thì quyền không có hiệu lực, chỉ đồng hồ người ký nói là kịp.", "That it was signed in time: the right was not in force when the hub got it, only the signer's clock says it was."],
  ahead: ["Giờ ghi trong sự kiện: đồng hồ người ký chạy trước đồng hồ máy chủ.", "The time stated in it: the signer's clock was ahead of the hub's."],
  content: ["Nội dung phát: tệp chỉ mang mã băm; hãy so với tệp gốc.", "The content: only its hash is here; compare it with the original."],
  sound: ["Có người nghe thấy: đây là lời khai của thiết bị.", "That anybody heard it: this is what the device says."],
  later: ["Việc xảy ra sau đó: có bị thu hồi hay thay thế hay không.", "What came after: whether it was withdrawn or replaced."],
  revoked: ["Khóa không bị lộ, và không bị hủy bằng lệnh mà tệp không mang.", "That no key was stolen, or ended by a statement that is not here."],
  person: ["Người cầm khóa: tên trong chuỗi là do bên cấp quyền ghi.", "Who held the key: the names in the chain are those the issuers wrote."],
};
// By the beginning of a code; the first that fits.
const REFUSALS = [
  ["key-unknown", "Không có chuỗi cấp quyền từ khóa gốc này đến người ký. Có đúng khóa gốc không?", "No chain of grants leads from this root to the signer. Is it the right root key?"],
  ["signature-bad", "Một chữ ký không khớp: tệp đã bị sửa, hoặc người khác ký.", "A signature does not match: the file was changed, or somebody else signed."],
  ["root-mismatch", "Nội dung không phải là nội dung đã được ký.", "The content is not what was signed."],
  ["no-authority", "Chữ ký đúng, nhưng người ký không có quyền này ở địa bàn và thời điểm ấy.", "The signature is good, but the signer had no such right there and then."],
  ["key-ended", "Chữ ký đúng, nhưng khóa của người ký đã kết thúc và sự kiện này không thuộc phần được giữ lại.", "The signature is good, but the signer's key ended and this is not among what stays."],
  ["revocation-", "Một lệnh hủy khóa trong tệp không có giá trị.", "A revocation in the file does not count."],
  ["rotation-", "Một lệnh đổi khóa trong tệp không có giá trị.", "A rotation in the file does not count."],
  ["roots-", "Một bộ khóa gốc trong tệp không có giá trị. Bạn đã đưa đủ các khóa gốc ban đầu chưa?", "A root set in the file does not count. Did you name all roots of the founding?"],
  ["not-sealed-alone", "Một quyết định phải được ký riêng; quyết định này thì không.", "A decision is signed alone; this one was not."],
  ["grant-", "Một lệnh cấp quyền trong tệp không có giá trị.", "A grant in the file does not stand."],
  ["witness-no", "Máy chủ xác nhận thời điểm không có quyền ở địa bàn ấy.", "The hub that witnesses the time had no right to."],
  ["witness-", "Xác nhận thời điểm trong tệp nói về một sự kiện khác.", "The witness in the file speaks of something else."],
  ["evidence-magic", "Đây không phải là tệp bằng chứng của Loa (phiên bản 1).", "This is not an evidence file of Loa, version 1."],
  ["evidence-version", "Tệp thuộc phiên bản khác. Hãy dùng bản kiểm chứng mới hơn.", "The file is of another version. Use a newer verifier."],
  ["key-", "Một khóa trong danh sách không được phép tin.", "One of the keys must not be trusted."],
  ["", "Tệp bị hỏng hoặc không đúng khuôn dạng.", "The file is damaged, or not in the right form."],
];
