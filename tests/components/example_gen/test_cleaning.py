"""Rules for single values and for repeated customers: what they change, at their boundaries, and what is counted."""

from __future__ import annotations

import datetime
import random
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from components.errors import DataError
from components.example_gen.bad_values import BadValueError
from components.example_gen.customers import column_types
from components.example_gen.numbers import plain_numbers
from components.example_gen.plan import make_plan
from components.example_gen.source import resolve_source
from configs.cleaning import NumberConfig
from configs.errors import ConfigError


def refused(read, path, **data):
    with pytest.raises(DataError) as caught:
        read(path, **data)
    return str(caught.value).replace(f"{path}: ", "")


def changed(reading):
    return reading.tally.changes.by_column()


class TestMissingMarkers:
    def test_a_blank_a_word_and_a_number_are_counted_by_column(self, write, read):
        path = write("id,plan,age,income\n1, ,-1,5\n2,unknown,30,-1.0\n3,basic,-1,-1\n4,  ,-10,\n")
        reading = read(path, missing={"plan": [" ", "unknown"], "*": [-1]})
        assert reading.column("plan") == [None, None, "basic", "  "]
        assert reading.column("age") == [None, 30, None, -10]
        assert reading.column("income") == [5.0, None, None, None]
        assert changed(reading) == {
            "age": {"marked_missing": 2},
            "income": {"marked_missing": 2},
            "plan": {"marked_missing": 2},
        }

    def test_what_is_missing_anyway_is_not_counted(self, write, read, tmp_path):
        assert changed(read(write("id,x\n1,nan\n2,\n3,5\n"))) == {}
        path = tmp_path / "x.parquet"
        table = {"id": ["1", "2", "3"], "x": [-1.0, float("nan"), None], "t": ["", "?", "a"]}
        pq.write_table(pa.table(table), path)
        reading = read(path, missing={"x": [-1], "t": ["?"]})
        assert reading.column("x") == [None, None, None]
        assert reading.column("t") == [None, None, "a"]
        assert changed(reading) == {"t": {"marked_missing": 1}, "x": {"marked_missing": 1}}


class TestBounds:
    TABLE = "id,age,plan\n1,0,basic\n2,120,plus\n3,-1,basic\n4,121,gold\n5,,\n"

    def test_the_bounds_themselves_are_within_and_missing_is_never_outside(self, write, read):
        path = write("id,age,plan\n1,0,basic\n2,120,plus\n3,,\n")
        reading = read(path, bounds={"age": {"min": 0, "max": 120}, "plan": {"allowed": ["basic", "plus"]}})
        assert reading.column("age") == [0, 120, None]
        assert changed(reading) == {} and not reading.tally.rows_dropped

    def test_reject_names_file_row_column_and_value(self, write, read):
        path = write(self.TABLE)
        assert refused(read, path, bounds={"age": {"min": 0, "max": 120}}) == (
            "line 4 (row 3), column 'age': -1 is not within 0 to 120, as data.bounds.age asks; mend it, or set"
            " 'otherwise' there: to drop the row, clip the value, or have it missing"
        )
        assert refused(read, path, bounds={"plan": {"allowed": ["basic", "plus"]}}) == (
            "line 5 (row 4), column 'plan': 'gold' is not one of basic, plus, as data.bounds.plan asks; mend it,"
            " or set 'otherwise' there: to drop the row, or have it missing"
        )

    def test_drop_counts_rows(self, write, read):
        reading = read(write(self.TABLE), bounds={"age": {"max": 120, "otherwise": "drop"}})
        assert reading.column("id") == ["1", "2", "3", "5"]
        assert reading.tally.rows_dropped == {"age not at most 120": 1}

    def test_clip_counts_values_and_keeps_whole_numbers(self, write, read):
        rule = {"min": 0.5, "max": 119.5, "otherwise": "clip"}
        reading = read(write(self.TABLE), bounds={"age": rule})
        assert reading.column("age") == [1, 119, 1, 119, None]
        assert reading.table["age"].type == pa.int64()
        assert changed(reading) == {"age": {"clipped": 4}}
        reading = read(write(self.TABLE), bounds={"age": rule}, types={"age": "number"})
        assert reading.column("age") == [0.5, 119.5, 0.5, 119.5, None]

    @pytest.mark.parametrize("values", [["basic", "plus"], ["plus", "basic", "other"]])
    def test_missing_counts_values(self, write, read, values):
        bounds = {
            "age": {"min": 0, "otherwise": "missing"},
            "plan": {"allowed": values, "otherwise": "missing"},
        }
        reading = read(write(self.TABLE), bounds=bounds)
        assert reading.column("age") == [0, 120, None, 121, None]
        assert reading.column("plan") == ["basic", "plus", "basic", None, None]
        assert changed(reading) == {"age": {"out_of_bounds": 1}, "plan": {"out_of_bounds": 1}}

    def test_allowed_numbers_compare_as_numbers(self, write, read):
        reading = read(
            write("id,x\n1,1.0\n2,2\n3,3\n"), bounds={"x": {"allowed": [1, "2"], "otherwise": "drop"}}
        )
        assert reading.column("x") == [1, 2]

    def test_times(self, write, read):
        path = write("id,joined\n1,2024-01-31\n2,2024-02-01\n3,2030-01-01\n")
        said = {"types": {"joined": "time"}}
        bounds = {"joined": {"max": datetime.date(2024, 2, 1), "otherwise": "clip"}}
        assert read(path, **said, bounds=bounds).column("joined") == [19753.0, 19754.0, 19754.0]
        message = refused(read, path, **said, bounds={"joined": {"max": "2024-02-01"}})
        assert message.startswith(
            "line 4 (row 3), column 'joined': 2030-01-01 00:00:00 is not at most 2024-02-01"
        )

    def test_what_keep_drops_is_not_judged(self, write, read):
        path = write(self.TABLE)
        keep = [{"column": "plan", "is_in": ["plus"]}]
        assert read(path, keep=keep, bounds={"age": {"min": 0, "max": 120}}).column("id") == ["2"]

    def test_a_column_that_is_no_feature_decides_too(self, write, read):
        rule = {"age": {"min": 0, "max": 120, "otherwise": "drop"}}
        reading = read(write(self.TABLE), columns=["plan"], bounds=rule)
        assert reading.table.column_names == ["id", "plan"]
        assert reading.column("id") == ["1", "2", "5"]

    def test_of_purchases(self, write, read):
        path = write("id,when,amount,n\na,2024-01-01,5,1\na,2024-01-02,7,100001\nb,2024-01-03,9,2\n")
        reading = read(
            path,
            transactions={"time": "when", "amount": "amount"},
            bounds={"n": {"max": 100000, "otherwise": "drop"}},
        )
        assert reading.column("monetary") == [5.0, 9.0]
        assert reading.tally.rows_dropped == {"n not at most 100000": 1}

    @pytest.mark.parametrize(
        ("bounds", "message"),
        [
            ({"plan": {"min": 0}}, "data.bounds.plan: 'min' and 'max' are for numbers and times, but the column is"),
            ({"age": {"allowed": ["old"]}}, "data.bounds.age: age is_in: 'old' is not a number"),
            ({"aeg": {"min": 0}}, "data.bounds: there is no column 'aeg'"),
            ({"id": {"min": 0}}, "data.bounds: 'id' is the customer id"),
        ],
    )  # fmt: skip
    def test_rules_that_cannot_be_meant(self, write, read, bounds, message):
        with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
            read(write(self.TABLE), bounds=bounds)


class TestNumbers:
    @pytest.mark.parametrize(
        ("form", "written", "number"),
        [
            ({"thousands": ","}, "1,234.50", 1234.5),
            ({"thousands": ","}, "-12,345,678", -12345678.0),
            ({"thousands": ","}, "12,34,567.8", 1234567.8),
            ({"thousands": ","}, "1234.5", 1234.5),
            ({"strip": "$"}, "$12", 12.0),
            ({"strip": "$"}, "-$12", -12.0),
            ({"strip": "$"}, "$ -12", -12.0),
            ({"strip": "%"}, "12 %", 12.0),
            ({"strip": "%"}, "12", 12.0),
            ({"thousands": ".", "decimal": ","}, "1.234,50", 1234.5),
            ({"thousands": " ", "decimal": ",", "strip": ["EUR", "€"]}, " 1\u00a0234\u202f567,5 EUR ", 1234567.5),
            ({"thousands": "'", "strip": "CHF"}, "CHF 1'234.50", 1234.5),
            ({"decimal": ","}, ",5", 0.5),
            ({"decimal": ","}, "+1,5e3", 1500.0),
        ],
    )  # fmt: skip
    def test_however_they_are_written(self, write, read, form, written, number):
        reading = read(write(f'id;x\n1;"{written}"\n'), delimiter=";", numbers={"x": form})
        assert reading.column("x") == [number]
        assert reading.table["x"].type == pa.float64()

    @pytest.mark.parametrize(
        ("form", "written"),
        [
            ({"thousands": ","}, "1,5"),
            ({"thousands": ","}, "1,2345"),
            ({"thousands": ","}, "1.234,50"),
            ({"thousands": ".", "decimal": ","}, "1.5"),
            ({"thousands": ".", "decimal": ","}, "1,234.50"),
            ({"thousands": " "}, "1  234"),
            ({"strip": "$"}, "€12"),
            ({"strip": "$"}, "$"),
            ({"strip": "$"}, "--12"),
            ({"strip": "%"}, "12 of 15 %"),
            ({}, "1,234"),
        ],
    )
    def test_a_mixed_column_is_refused_with_its_place(self, write, read, form, written):
        path = write(f"id;x\n1;12\n2;{written}\n")
        message = refused(read, path, delimiter=";", numbers={"x": form})
        assert message.startswith(f"line 3 (row 2), column 'x': '{written}' is not a number written with ")

    def test_whole_numbers_and_markers(self, write, read):
        path = write('id,x\n1,"1,234"\n2,n/a\n3,-1\n4,\n')
        said = {"numbers": {"x": {"thousands": ","}}, "missing": {"x": ["n/a", -1]}}
        reading = read(path, types={"x": "integer"}, **said)
        assert reading.column("x") == [1234, None, None, None]
        assert reading.table["x"].type == pa.int64()
        assert changed(reading) == {"x": {"marked_missing": 2}}

    def test_numbers_that_are_stored_as_numbers_stay(self, tmp_path, read):
        path = tmp_path / "x.parquet"
        pq.write_table(pa.table({"id": [1], "x": [1.5], "y": ["1,5"]}), path)
        reading = read(path, numbers={"x": {"decimal": ","}, "y": {"decimal": ","}})
        assert (reading.column("x"), reading.column("y")) == ([1.5], [1.5])

    @pytest.mark.parametrize(
        ("values", "row", "said"),
        [
            (["1,234.50", "12", "7,000"], 1, "{price: {thousands: ','}}"),
            (["$12", "$1,000.5"], 1, "{price: {thousands: ',', strip: '$'}}"),
            (["12 %", "3.5 %"], 1, "{price: {strip: '%'}}"),
            (["2.5", "1,5", "2,5"], 2, "{price: {decimal: ','}}"),
            (["1.234,50 EUR", "2,00 EUR"], 1, "{price: {thousands: '.', decimal: ',', strip: 'EUR'}}"),
        ],
    )
    def test_a_column_that_would_silently_be_text_is_refused_with_what_to_say(
        self, write, read, values, row, said
    ):
        path = write("id;price\n" + "".join(f"{n};{value}\n" for n, value in enumerate(values)))
        message = refused(read, path, delimiter=";")
        assert message == (
            f"line {row + 1} (row {row}), column 'price': {values[row - 1]!r} looks like a number that is written for"
            f" people; say how with data.numbers: {said}, or set data.types: {{price: text}}"
        )
        assert read(path, delimiter=";", types={"price": "text"}).column("price") == values

    @pytest.mark.parametrize("values", [["12-34", "5"], ["1,2", "x"], ["10:30", "1"], ["1.2.3", "1.2.4"]])
    def test_other_text_is_text(self, write, read, values):
        path = write("id;x\n" + "".join(f"{n};{value}\n" for n, value in enumerate(values)))
        assert read(path, delimiter=";").column("x") == values

    def test_one_such_value_in_a_column_of_numbers(self, write, read):
        rows = "".join(f"{n},{n}.5\n" for n in range(30))
        said = "say how the numbers are written, such as data.numbers: {x: {thousands: ','}}"
        assert refused(read, write(f'id,x\n{rows}30,"1,234.50"\n')).endswith(said)
        message = refused(read, write('id,x\n1,"1,234.50"\n2,5\n'), types={"x": "number"})
        assert (
            message.startswith("line 2 (row 1), column 'x': '1,234.50' is not a number") and said in message
        )

    @given(
        st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12),
        st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", "."), ("_", ".")]),
        st.sampled_from(["", "$", "EUR ", "R$"]),
    )
    def test_what_is_formatted_is_read_back(self, value, separators, sign):
        thousands, decimal = separators
        digits = f"{abs(value):,.2f}".translate(str.maketrans({",": thousands, ".": decimal}))
        text = f"{'-' if value < 0 else ''}{sign}{digits}"
        form = NumberConfig(thousands=thousands, decimal=decimal, strip=[sign.strip()] if sign else [])
        assert float(plain_numbers(pa.array([text]), form)[0].as_py()) == float(value)

    @given(st.text(alphabet="0123456789,.-+$% e", max_size=8))
    def test_nothing_but_a_number_gets_through(self, text):
        for form in ({}, {"thousands": ","}, {"thousands": ".", "decimal": ","}, {"strip": ["$", "%"]}):
            try:
                plain = plain_numbers(pa.array([text]), NumberConfig.model_validate(form))[0].as_py()
            except BadValueError:
                continue
            float(plain)


class TestDates:
    MIXED = "id,joined\n1,31.12.2023\n2,2024-01-01\n3,1.2.2024\n4,\n"
    FORMATS = ("%d.%m.%Y", "%Y-%m-%d")

    def test_days_since_1970_in_several_formats(self, write, read, config):
        path = write(self.MIXED)
        dates = {"joined": {"formats": [*self.FORMATS]}}
        reading = read(path, dates=dates)
        assert reading.column("joined") == [19722.0, 19723.0, 19754.0, None]
        settings = config(path, dates=dates)
        plan = make_plan(settings.data, resolve_source(settings))
        assert column_types(plan, reading.tally)["joined"] == "number"

    @pytest.mark.parametrize(
        ("said", "values", "kind"),
        [
            ({"as": "days_since", "as_of": datetime.date(2024, 2, 1)}, [32.0, 31.0, 0.0, None], "number"),
            ({"as": "month"}, [12, 1, 2, None], "integer"),
            # A Sunday, a Monday and a Thursday.
            ({"as": "weekday"}, [7, 1, 4, None], "integer"),
        ],
    )
    def test_what_they_become(self, write, read, config, said, values, kind):
        path = write(self.MIXED)
        dates = {"joined": {"formats": [*self.FORMATS], **said}}
        reading = read(path, dates=dates)
        assert reading.column("joined") == values
        settings = config(path, dates=dates)
        plan = make_plan(settings.data, resolve_source(settings))
        assert column_types(plan, reading.tally)["joined"] == kind

    def test_the_first_format_that_fits_counts(self, write, read):
        path = write("id,d\n1,02/01/2024\n2,13/01/2024\n")
        british = {"d": {"formats": ["%d/%m/%Y", "%m/%d/%Y"]}}
        assert read(path, dates=british).column("d") == [19724.0, 19735.0]
        american = {"d": {"formats": ["%m/%d/%Y", "%d/%m/%Y"]}}
        assert read(path, dates=american).column("d") == [19754.0, 19735.0]

    @pytest.mark.parametrize(
        "value", ["2024-02-30", "20240105", "2024-01", "2024-01-02 10:00", "31.12.24", "today"]
    )
    def test_what_is_no_date_is_refused_with_its_place(self, write, read, value):
        path = write(f"id,d\n1,2024-01-01\n2,{value}\n")
        assert refused(read, path, dates={"d": {"formats": [*self.FORMATS]}}) == (
            f"line 3 (row 2), column 'd': '{value}' is not a time in any of the formats %d.%m.%Y, %Y-%m-%d"
        )

    def test_so_many_may_be_unreadable(self, write, read):
        rows = "".join(f"{n},2024-01-01\n" for n in range(8))
        path = write(f"id,d\n{rows}8,x\n9,2024-02-30\n")
        for most in (2, 0.2, 3, 0.5):
            reading = read(path, dates={"d": {"max_bad": most}})
            assert reading.column("d") == [19723.0] * 8 + [None, None]
            assert changed(reading) == {"d": {"unreadable": 2}}
        for most in (1, 0.1999):
            message = refused(read, path, dates={"d": {"max_bad": most}})
            assert message.startswith("line 10 (row 9), column 'd': 'x' is not a time in ISO 8601")
            assert f"the first of 2 such values of 10, where data.dates.d.max_bad allows {most};" in message

    def test_the_limit_is_on_all_files_together(self, write, read):
        paths = [write(f"id,d\n{n},2024-01-01\n{n + 5},bad{n}\n", f"{n}.csv") for n in (2, 1)]
        assert read(paths, dates={"d": {"max_bad": 2}}).tally.changes.by_column() == {"d": {"unreadable": 2}}
        with pytest.raises(
            DataError, match=r"2\.csv: line 3 \(row 2\), column 'd': 'bad2' .* first of 2 such"
        ):
            read(paths, dates={"d": {"max_bad": 1}})

    def test_zones_are_brought_to_utc(self, write, read):
        path = write("id,d\n1,2024-03-31 00:30:00+0100\n2,2024-03-31 04:30:00+0200\n")
        reading = read(path, dates={"d": {"formats": ["%Y-%m-%d %H:%M:%S%z"]}})
        assert reading.column("d") == pytest.approx([19812 + 23.5 / 24, 19813 + 2.5 / 24])

    def test_stored_times_need_no_format(self, tmp_path, read):
        path = tmp_path / "x.parquet"
        pq.write_table(pa.table({"id": [1], "d": [datetime.date(2024, 5, 5)]}), path)
        assert read(path, dates={"d": {"as": "month"}}).column("d") == [5]

    @settings(deadline=None)
    @given(st.dates(min_value=datetime.date(1, 1, 1)), st.sampled_from(["%d.%m.%Y", "%Y-%m-%d", "%m/%d/%Y"]))
    def test_any_date_is_read_back(self, date, pattern):
        from components.example_gen.dates import as_number, times_of
        from configs.cleaning import DateConfig

        text = pattern.replace("%d", f"{date.day:02}").replace("%m", f"{date.month:02}")
        times = times_of(pa.array([text.replace("%Y", f"{date.year:04}")]), [pattern])
        assert times[0].as_py() == datetime.datetime.combine(date, datetime.time())
        of = {
            form: as_number(times, DateConfig.model_validate({"as": form})) for form in ("month", "weekday")
        }
        assert (of["month"][0].as_py(), of["weekday"][0].as_py()) == (date.month, date.isoweekday())


class TestRepeatedCustomers:
    TABLE = (
        "id,plan,updated\na,old,2024-01-01\nb,only,2024-05-01\na,new,2024-03-01\na,newer,2024-03-01\n"
        "a,late,2024-02-01\nc,none,\nc,some,1999-01-01\n"
    )

    @pytest.mark.parametrize(
        ("keep", "plans"), [("last", ["only", "newer", "some"]), ("first", ["old", "only", "some"])]
    )
    def test_by_a_time_and_of_equal_times_by_the_order(self, write, read, keep, plans):
        reading = read(write(self.TABLE), duplicate_ids={"keep": keep, "by": "updated"})
        assert reading.column("plan") == plans
        assert reading.tally.rows_dropped == {"duplicate_ids": 4}

    def test_by_a_number_that_is_no_column_of_the_customer(self, write, read):
        path = write("id,x,version\na,1,9\na,2,10\na,3,10\nb,4,1\n")
        by = {"duplicate_ids": {"keep": "last", "by": "version"}, "columns": ["x"]}
        reading = read(path, **by)
        assert reading.table.to_pydict() == {"id": ["a", "b"], "x": [3, 4]}
        by["duplicate_ids"]["keep"] = "first"
        assert read(path, **by).column("x") == [1, 4]

    def test_the_order_of_rows_does_not_matter_but_for_ties(self, write, read):
        rows = [f"c{n % 50},{n}\n" for n in range(500)]
        expected = {f"c{n}": 450 + n for n in range(50)}
        random.Random(0).shuffle(rows)
        reading = read(write("id,n\n" + "".join(rows)), duplicate_ids={"keep": "last", "by": "n"})
        assert dict(zip(reading.column("id"), reading.column("n"), strict=True)) == expected

    def test_a_column_that_orders_nothing(self, write, read):
        path = write("id,plan\na,x\na,y\n")
        message = refused(read, path, duplicate_ids={"keep": "last", "by": "plan"})
        assert message.startswith("line 2 (row 1), column 'plan': 'x' is not a time in ISO 8601")
        with pytest.raises(ConfigError, match=r"data\.duplicate_ids\.by: 'id' is the customer id"):
            read(path, duplicate_ids={"keep": "last", "by": "id"})
        with pytest.raises(ConfigError, match=r"data\.duplicate_ids\.by: there is no column 'when'"):
            read(path, duplicate_ids={"keep": "last", "by": "when"})


class TestIds:
    def test_leading_zeros_are_kept(self, write, read, tmp_path):
        assert read(write("id,x\n007,1\n7,2\n")).column("id") == ["007", "7"]
        path = tmp_path / "x.parquet"
        pq.write_table(pa.table({"id": ["007", "7"], "x": [1, 2]}), path)
        assert read(path).column("id") == ["007", "7"]

    @pytest.mark.parametrize("kind", [pa.int32(), pa.uint64(), pa.float64(), pa.float32()])
    def test_numbers_as_ids_have_no_fraction(self, tmp_path, read, kind):
        path = tmp_path / "x.parquet"
        pq.write_table(pa.table({"id": pa.array([7, 1000000], kind), "x": [1, 2]}), path)
        assert read(path).column("id") == ["7", "1000000"]


def test_rules_apply_in_the_documented_order(write, read):
    """Markers, then numbers and dates, then keep, then ids, then bounds, then copies, then repeated customers."""
    path = write(
        "id,price,age\n"
        "1,$5,30\n"
        "1,$5,30\n"  # a copy
        "2,$9,999\n"  # marked missing before it could be out of bounds
        "3,$7,150\n"  # dropped by its bound
        "4,$1,200\n"  # dropped by keep before its bound could
        ",$7,300\n"  # without an id before its bound could
        "1,$6,40\n"  # a customer again
    )
    reading = read(
        path,
        missing={"age": [999]},
        numbers={"price": {"strip": "$"}},
        keep=[{"column": "price", "ge": 5}],
        missing_ids="drop",
        bounds={"age": {"max": 120, "otherwise": "drop"}},
        duplicate_rows="drop",
        duplicate_ids={"keep": "last", "by": "price"},
    )
    assert reading.table.to_pydict() == {"id": ["2", "1"], "price": [9.0, 6.0], "age": [None, 40]}
    assert reading.tally.rows_dropped == {
        "price ge 5": 1, "missing_ids": 1, "age not at most 120": 1, "duplicate_rows": 1, "duplicate_ids": 1,
    }  # fmt: skip
    assert changed(reading) == {"age": {"marked_missing": 1}}
    assert reading.tally.rows_read == 7


def test_the_worked_example_of_the_docs(write, read):
    text = (Path(__file__).parents[3] / "docs" / "cleaning.md").read_text().split("## A worked example")[1]
    (table,) = re.findall(r"```csv\n(.*?)```", text, re.DOTALL)
    (settings,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    data = yaml.safe_load(settings)["data"]
    reading = read(write(table), **{key: value for key, value in data.items() if key != "path"})
    shown = reading.table.drop(["updated"]).to_pylist()
    names, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"
    ][: 2 + len(shown)]
    written = [{name: "" if value is None else str(value) for name, value in row.items()} for row in shown]
    assert written == [dict(zip(names, row, strict=True)) for row in rows]
    assert reading.tally.rows_dropped == {"duplicate_ids": 1}
    assert changed(reading) == {
        "age": {"clipped": 1, "marked_missing": 1},
        "joined": {"unreadable": 1},
        "plan": {"marked_missing": 1, "out_of_bounds": 1},
    }
