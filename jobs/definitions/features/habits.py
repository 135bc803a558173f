"""When, how and with whom a customer comes."""

from __future__ import annotations

from jobs.definitions.features.feature import Feature, distinct, order_mean, order_share, usual, usual_share

HABITS: tuple[Feature, ...] = (
    order_share("online_share", "channel IN ('web', 'app', 'marketplace')", "Orders by web, app or marketplace."),
    order_share("weekday_lunch_share", "day_type = 'weekday' AND daypart = 'lunch'", "Lunch orders on weekdays."),
    order_share("weekend_share", "day_type = 'weekend'", "Orders on weekends that are no holiday."),
    order_share("holiday_share", "day_type = 'holiday'", "Orders on public holidays."),
    order_share("own_calendar_share", "is_own_day",
                "Orders on days that the chain's own calendar names; null where it has none.",
                of="is_own_day IS NOT NULL"),
    order_share("breakfast_share", "daypart = 'breakfast'", "Orders at breakfast."),
    order_share("lunch_share", "daypart = 'lunch'", "Orders at lunch."),
    order_share("afternoon_share", "daypart = 'afternoon'", "Orders in the afternoon."),
    order_share("evening_share", "daypart = 'evening'", "Orders in the evening."),
    order_share("late_night_share", "daypart = 'late_night'", "Orders late at night."),
    usual("preferred_daypart", "daypart", "Daypart of most orders in 365 days, then the later in the day."),
    usual("peak_month", "month", "Calendar month (1 to 12) of most orders in 365 days, ties by smallest.", "INT"),
    usual_share("peak_month_share", "month", "Orders in peak_month over all in 365 days."),
    usual("preferred_channel", "channel", "Channel of most orders in 365 days, ties by smallest name."),
    distinct("distinct_channels", "habits", "channel", "channels", "Different channels used in 365 days."),
    usual("preferred_fulfilment", "fulfilment",
          "How most orders in 365 days were handed over, ties by smallest name."),
    order_share("dine_in_share", "fulfilment = 'dine_in'", "Orders eaten at the table."),
    order_share("delivery_share", "fulfilment = 'delivery'", "Orders delivered."),
    order_mean("average_party_size", "party_size", "people",
               "Mean party size in 365 days, of orders that state one.", 1),
    order_share("solo_share", "party_size = 1", "Orders for one person, of orders that state a party size.",
                of="party_size IS NOT NULL"),
    order_share("weekend_group_share", "day_type IN ('weekend', 'holiday') AND party_size >= 3",
                "Orders for three people or more on weekends or holidays, of orders that state a party size.",
                of="party_size IS NOT NULL"),
)  # fmt: skip
