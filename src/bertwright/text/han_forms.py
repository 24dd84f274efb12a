"""Simplified and traditional forms of common Han characters: the pairs that names of classes are made of.

This is no converter. Some simplified characters stand for several traditional ones, so names that become equal here
are only probably one name; characters that the table lacks stay different.
"""

from __future__ import annotations

# A traditional form, then the simplified one. Written for this project.
_PAIRS = (
    "體体 類类 樂乐 財财 經经 濟济 軍军 國国 際际 聞闻 時时 會会 業业 產产 車车 醫医 療疗 藥药 電电 視视 遊游 戲戏 "
    "動动 學学 習习 師师 書书 讀读 寫写 話话 語语 詞词 詩诗 說说 論论 評评 價价 買买 賣卖 貨货 幣币 銀银 險险 稅税 "
    "費费 資资 訊讯 訓训 練练 證证 認认 識识 課课 題题 問问 間间 開开 關关 閉闭 門门 閱阅 頁页 項项 順顺 預预 領领 "
    "頭头 顏颜 願愿 風风 飛飞 飯饭 飲饮 館馆 饑饥 馬马 駕驾 驗验 驚惊 騙骗 魚鱼 鳥鸟 雞鸡 麗丽 麥麦 黃黄 點点 黨党 "
    "齊齐 齡龄 龍龙 東东 兩两 個个 們们 倉仓 偉伟 側侧 傑杰 備备 傳传 債债 傷伤 億亿 儀仪 優优 償偿 兒儿 內内 冊册 "
    "凍冻 劃划 則则 創创 劇剧 劍剑 務务 勝胜 勞劳 勢势 勵励 勸劝 區区 協协 單单 廠厂 廳厅 歷历 壓压 厭厌 參参 雙双 "
    "變变 號号 嘆叹 員员 嗎吗 響响 嚴严 園园 圖图 圓圆 團团 圍围 場场 塊块 塵尘 墳坟 壞坏 壇坛 壯壮 聲声 處处 夢梦 "
    "夠够 奪夺 奮奋 獎奖 婦妇 媽妈 孫孙 寶宝 實实 審审 寧宁 對对 尋寻 導导 將将 爾尔 屆届 屬属 層层 島岛 歲岁 嶺岭 "
    "幫帮 帶带 庫库 廣广 廟庙 應应 張张 強强 彈弹 彎弯 錄录 徑径 從从 後后 憶忆 憂忧 懷怀 態态 慣惯 慶庆 憲宪 懶懒 "
    "戰战 戶户 執执 掃扫 揚扬 搶抢 護护 報报 擔担 擇择 擁拥 擋挡 擊击 擴扩 據据 攝摄 數数 敵敌 斷断 無无 舊旧 曆历 "
    "顯显 曉晓 暫暂 術术 機机 殺杀 雜杂 權权 條条 來来 楊杨 極极 構构 樣样 標标 樹树 橋桥 檔档 檢检 歐欧 歡欢 殘残 "
    "毀毁 氣气 漢汉 湯汤 溝沟 沒没 淚泪 潔洁 測测 漁渔 滅灭 滿满 漲涨 濕湿 灣湾 溫温 濱滨 災灾 爐炉 煉炼 煩烦 燒烧 "
    "熱热 愛爱 爺爷 牽牵 狀状 獨独 獲获 獵猎 環环 現现 瑪玛 瓊琼 畫画 當当 疊叠 瘋疯 盜盗 監监 盤盘 禮礼 種种 稱称 "
    "穩稳 積积 窮穷 競竞 筆笔 簡简 節节 範范 築筑 糧粮 紀纪 約约 紅红 級级 納纳 紙纸 純纯 紐纽 線线 組组 細细 織织 "
    "終终 結结 給给 絡络 絕绝 統统 繼继 續续 維维 綠绿 網网 編编 緊紧 緣缘 總总 績绩 縣县 縮缩 繪绘 職职 聯联 聽听 "
    "腦脑 臉脸 腳脚 膽胆 臟脏 興兴 舉举 艦舰 藝艺 莊庄 蘭兰 蘇苏 葉叶 蓋盖 獻献 蟲虫 蝦虾 衛卫 補补 裝装 裡里 複复 "
    "見见 規规 覺觉 覽览 觀观 觸触 訂订 計计 記记 許许 設设 訴诉 診诊 詐诈 試试 詳详 該该 誤误 請请 諾诺 謀谋 謝谢 "
    "譯译 議议 譽誉 貝贝 負负 責责 貴贵 貸贷 貿贸 賀贺 賓宾 賠赔 賞赏 質质 賬账 購购 賽赛 贈赠 贏赢 趙赵 趕赶 跡迹 "
    "踐践 軌轨 軟软 軸轴 載载 輕轻 輛辆 輔辅 輪轮 輸输 轉转 農农 辦办 邊边 達达 過过 運运 還还 這这 進进 遠远 違违 "
    "連连 適适 選选 遺遗 鄉乡 鄧邓 鄭郑 醬酱 釋释 針针 釣钓 鋼钢 錢钱 錯错 鍋锅 鎮镇 鏡镜 鐵铁 鐘钟 長长 閃闪 閒闲 "
    "陽阳 陰阴 陣阵 陳陈 陸陆 隊队 階阶 隨随 隱隐 難难 雲云 霧雾 靈灵 靜静 韓韩 韻韵 頓顿 頻频 額额 顧顾 養养 衝冲 "
    "決决 況况 減减 準准 涼凉 淨净 兇凶 佔占 採采 綜综 滯滞 滾滚 潛潜 澤泽 燈灯 為为 與与 並并 萬万 專专 絲丝 喪丧 "
    "豐丰 臨临 義义 烏乌 喬乔 亂乱 爭争 虧亏 亞亚 産产 親亲 僅仅 眾众 傘伞 倫伦 貪贪 貧贫 寵宠 窩窝 鬧闹 鬥斗 髮发 "
    "發发"
)  # fmt: skip
_SIMPLIFIED = {ord(pair[0]): pair[1] for pair in _PAIRS.split()}


def simplified(text: str) -> str:
    """`text`, as long as before, with the simplified forms of the characters that the table holds."""
    return text if text.isascii() else text.translate(_SIMPLIFIED)
